package philox

import "math"

// Normals returns four standard normal numbers from the four words of a [Block]: words 0 and 1 give the first two,
// words 2 and 3 the others.
//
// It is the Box-Muller transform of each pair (a, b), u = (⌊a/2^8⌋+1)/2^24 in (0, 1], v = ⌊b/2^8⌋/2^24 in [0, 1):
//
//	sqrt(-2 log u) cos(2πv),  sqrt(-2 log u) sin(2πv)
//
// defined step by step below in float32 operations, each rounded on its own (never a fused multiply-add: the conversions
// float32(a*b) forbid it to the compiler, __fmul_rn and __fadd_rn are their CUDA spelling), so that plain Go, AVX2, AVX-512
// and CUDA agree bit by bit. The largest number is sqrt(-2 log 2^-24) = 5.768. Against the exact transformation of the same
// u and v the error stays below 6e-7 (mean 3e-8), as normal_test.go measures.
//
// Source: Box & Muller 1958, "A Note on the Generation of Random Normal Deviates".
func Normals(bits [4]uint32) [4]float32 {
	z0, z1 := boxMuller(bits[0], bits[1])
	z2, z3 := boxMuller(bits[2], bits[3])
	return [4]float32{z0, z1, z2, z3}
}

func boxMuller(a, b uint32) (z0, z1 float32) {
	r := radius(a)
	cos, sin := circle(b)
	return r * cos, r * sin
}

// LogPoly are the coefficients, highest power first, of p in log(1+f) = f + f²(-1/2 + f p(f)) for -1/3 <= f < 1/3.
var LogPoly = [8]float32{-0.130187988, 0.140889585, -0.121489584, 0.139809534, -0.166845024, 0.200121149, -0.249996364, 0.333331943}

// SinPoly and CosPoly are the coefficients, highest power of x² first, of sin x = x + x(x² p(x²)) and
// cos x = 1 + x²(-1/2 + x² p(x²)) for |x| <= π/4.
var (
	SinPoly = [3]float32{-1.95172979e-4, 8.33217814e-3, -1.66666549e-1}
	CosPoly = [3]float32{2.44677067e-5, -1.38877297e-3, 4.16666567e-2}
)

// The remaining constants of the transform, for those who write it for another machine.
const (
	LogSplit = 0x3f2aaaab           // bits of 2/3: log's argument is 2^e m, 2/3 <= m < 4/3
	Ln2      = float32(0.693147182) // log 2
	Turn     = float32(2 * math.Pi / (1 << 24))
)

// radius returns sqrt(-2 log u), u = (⌊a/2^8⌋+1)/2^24.
func radius(a uint32) float32 {
	u := float32(a>>8+1) * 0x1p-24
	ix := int32(math.Float32bits(u))
	e := (ix - LogSplit) >> 23
	m := math.Float32frombits(uint32(ix - e<<23))
	f := m - 1
	p := LogPoly[0]
	for _, c := range LogPoly[1:] {
		p = float32(p*f) + c
	}
	p = float32(p*f) - 0.5
	l := f + float32(float32(f*f)*p)
	l = l + float32(float32(e)*Ln2)
	return float32(math.Sqrt(float64(-2 * l))) // correctly rounded, as a float32 square root is
}

// circle returns cos(2πv) and sin(2πv), v = ⌊b/2^8⌋/2^24: k quarter turns, exactly, and |x| <= π/4.
func circle(b uint32) (cos, sin float32) {
	t := int32(b >> 8)
	k := (t + 1<<21) >> 22
	x := float32(float32(t-k<<22) * Turn)
	s := float32(x * x)
	p := SinPoly[0]
	for _, c := range SinPoly[1:] {
		p = float32(p*s) + c
	}
	sin = x + float32(x*float32(s*p))
	p = CosPoly[0]
	for _, c := range CosPoly[1:] {
		p = float32(p*s) + c
	}
	p = float32(p*s) - 0.5
	cos = 1 + float32(s*p)
	if k&1 != 0 {
		cos, sin = sin, cos
	}
	flip := func(x float32, sign int32) float32 {
		return math.Float32frombits(math.Float32bits(x) ^ uint32(sign)<<30)
	}
	return flip(cos, (k+1)&2), flip(sin, k&2)
}

// NormalsRow fills dst, elements 4*block0 onwards of a row, with standard normal numbers; the last block may be partial.
func NormalsRow(dst []float32, seed uint64, block0, row, step, stream uint32) {
	for i := 0; i < len(dst); i += 4 {
		z := Normals(Block(seed, block0+uint32(i/4), row, step, stream))
		copy(dst[i:], z[:])
	}
}
