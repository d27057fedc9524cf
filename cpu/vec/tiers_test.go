package vec

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"aetrain/cpu/cpuinfo"
	"aetrain/internal/philox"
)

// eachTier runs f for the tables of all tiers; those the processor or build lacks skip, by name.
func eachTier(t *testing.T, f func(t *testing.T, k *Kernels)) {
	for _, tier := range []cpuinfo.Tier{cpuinfo.Go, cpuinfo.AVX2, cpuinfo.AVX512} {
		t.Run(tier.String(), func(t *testing.T) {
			if !cpuinfo.Has(tier) {
				t.Skipf("this processor or build has no %v", tier)
			}
			k := For(tier)
			if k.Tier != tier {
				t.Fatalf("For(%v) is the table of %v", tier, k.Tier)
			}
			f(t, k)
		})
	}
}

// special are the arguments that kernels get wrong first.
var special = []float32{0, float32(math.Copysign(0, -1)), 1, -1, 0.5, -0.5, 2, -2, 1.5, 2.5, -2.5, 3, 20, -20, 88, 88.7, 88.8, 89, 90, -87, -87.4, -88, -100, -103.9, -104, -105,
	-120, 120, 1e-3, -1e-3, 1e-7, 1e-20, -1e-20, 1e20, -1e20, 1 << 23, 1<<23 + 1, 1 << 31, -(1 << 31), 16777217,
	math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32, 0x1p-126, 0x1p-127, -0x1.8p-130, math.MaxFloat32, -math.MaxFloat32,
	float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN())}

// mixed returns n numbers, every third a special one, the others spread over many magnitudes.
func mixed(n int, r *philox.Rand) []float32 {
	x := make([]float32, n)
	for i := range x {
		switch r.IntN(3) {
		case 0:
			x[i] = special[r.IntN(len(special))]
		case 1:
			x[i] = float32(r.NormFloat64()) * float32(math.Exp2(float64(r.IntN(12)-6)))
		default:
			x[i] = float32(r.NormFloat64())
		}
	}
	return x
}

func normals(n int, r *philox.Rand) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// ulps returns how many units in the last place of want got is away; NaN and infinities must be met.
func ulps(got float32, want float64) float64 {
	g := float64(got)
	switch {
	case math.IsNaN(want) || math.IsNaN(g):
		if math.IsNaN(want) && math.IsNaN(g) {
			return 0
		}
		return math.Inf(1)
	case float32(want) == got:
		return 0
	}
	exponent := math.Ilogb(max(math.Abs(want), 0x1p-126))
	if math.IsInf(g, 0) { // as if the exponents went on
		g = math.Copysign(0x1p128, g)
	}
	if math.Abs(want) >= 0x1p128 {
		want, exponent = math.Copysign(0x1p128, want), 127
	}
	return math.Abs(g-want) / math.Ldexp(1, exponent-23)
}

func sameBits(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b
}

// elementwiseKernel is one kernel in a common form.
type elementwiseKernel struct {
	name string
	in   int
	run  func(k *Kernels, dst []float32, x [][]float32, s float32)

	ulp float64 // allowed distance from the plain Go tier; 0: the same bits
	abs float64 // allowed besides, times 1 + the largest argument
}

func unaryCase(name string, ulp float64, f func(k *Kernels) Unary) elementwiseKernel {
	return elementwiseKernel{name, 1, func(k *Kernels, dst []float32, x [][]float32, _ float32) { f(k)(dst, x[0]) }, ulp, 0}
}

func scalarCase(name string, ulp, abs float64, f func(k *Kernels) Scalar) elementwiseKernel {
	return elementwiseKernel{name, 1, func(k *Kernels, dst []float32, x [][]float32, s float32) { f(k)(dst, x[0], s) }, ulp, abs}
}

func binaryCase(name string, ulp, abs float64, f func(k *Kernels) Binary) elementwiseKernel {
	return elementwiseKernel{name, 2, func(k *Kernels, dst []float32, x [][]float32, _ float32) { f(k)(dst, x[0], x[1]) }, ulp, abs}
}

func ternaryCase(name string, abs float64, f func(k *Kernels) Ternary) elementwiseKernel {
	return elementwiseKernel{name, 3, func(k *Kernels, dst []float32, x [][]float32, _ float32) { f(k)(dst, x[0], x[1], x[2]) }, 0, abs}
}

var elementwiseKernels = []elementwiseKernel{
	binaryCase("Add", 0, 0, func(k *Kernels) Binary { return k.Add }),
	binaryCase("Sub", 0, 0, func(k *Kernels) Binary { return k.Sub }),
	binaryCase("Mul", 0, 0, func(k *Kernels) Binary { return k.Mul }),
	binaryCase("Div", 0, 0, func(k *Kernels) Binary { return k.Div }),
	binaryCase("Max", 0, 0, func(k *Kernels) Binary { return k.Max }),
	binaryCase("Min", 0, 0, func(k *Kernels) Binary { return k.Min }),
	binaryCase("Pow", 0, 0, func(k *Kernels) Binary { return k.Pow }),
	binaryCase("Greater", 0, 0, func(k *Kernels) Binary { return k.Greater }),
	binaryCase("GreaterEqual", 0, 0, func(k *Kernels) Binary { return k.GreaterEqual }),
	binaryCase("Less", 0, 0, func(k *Kernels) Binary { return k.Less }),
	binaryCase("LessEqual", 0, 0, func(k *Kernels) Binary { return k.LessEqual }),
	binaryCase("Equal", 0, 0, func(k *Kernels) Binary { return k.Equal }),
	binaryCase("NotEqual", 0, 0, func(k *Kernels) Binary { return k.NotEqual }),
	scalarCase("GreaterS", 0, 0, func(k *Kernels) Scalar { return k.GreaterS }),
	scalarCase("GreaterEqualS", 0, 0, func(k *Kernels) Scalar { return k.GreaterEqualS }),
	scalarCase("LessS", 0, 0, func(k *Kernels) Scalar { return k.LessS }),
	scalarCase("LessEqualS", 0, 0, func(k *Kernels) Scalar { return k.LessEqualS }),
	scalarCase("EqualS", 0, 0, func(k *Kernels) Scalar { return k.EqualS }),
	scalarCase("NotEqualS", 0, 0, func(k *Kernels) Scalar { return k.NotEqualS }),
	ternaryCase("Select", 0, func(k *Kernels) Ternary { return k.Select }),
	scalarCase("AddS", 0, 0, func(k *Kernels) Scalar { return k.AddS }),
	scalarCase("MulS", 0, 0, func(k *Kernels) Scalar { return k.MulS }),
	scalarCase("SubRS", 0, 0, func(k *Kernels) Scalar { return k.SubRS }),
	scalarCase("DivRS", 0, 0, func(k *Kernels) Scalar { return k.DivRS }),
	scalarCase("MaxS", 0, 0, func(k *Kernels) Scalar { return k.MaxS }),
	scalarCase("MinS", 0, 0, func(k *Kernels) Scalar { return k.MinS }),
	scalarCase("PowS", 0, 0, func(k *Kernels) Scalar { return k.PowS }),
	{"Fill", 1, func(k *Kernels, dst []float32, _ [][]float32, s float32) { k.Fill(dst, s) }, 0, 0},
	unaryCase("Copy", 0, func(k *Kernels) Unary { return k.Copy }),
	{"AXPY", 2, func(k *Kernels, dst []float32, x [][]float32, s float32) {
		copy(dst, x[1])
		k.AXPY(dst, x[0], s)
	}, 1, 1.5e-7},
	ternaryCase("MulAdd", 1.5e-7, func(k *Kernels) Ternary { return k.MulAdd }),
	{"Affine", 1, func(k *Kernels, dst []float32, x [][]float32, s float32) { k.Affine(dst, x[0], s, 0.75) }, 1, 1.5e-7},
	{"Centred", 1, func(k *Kernels, dst []float32, x [][]float32, s float32) { k.Centred(dst, x[0], 0.25, s, 0.75) }, 1, 1.5e-7},
	{"CentredPlus", 2, func(k *Kernels, dst []float32, x [][]float32, s float32) {
		k.CentredPlus(dst, x[0], x[1], 0.25, s, 0.75, -0.5)
	}, 2, 3e-7},
	unaryCase("Neg", 0, func(k *Kernels) Unary { return k.Neg }),
	unaryCase("Abs", 0, func(k *Kernels) Unary { return k.Abs }),
	unaryCase("Square", 0, func(k *Kernels) Unary { return k.Square }),
	unaryCase("Sqrt", 0, func(k *Kernels) Unary { return k.Sqrt }),
	unaryCase("Recip", 0, func(k *Kernels) Unary { return k.Recip }),
	unaryCase("Rsqrt", 1.5, func(k *Kernels) Unary { return k.Rsqrt }),
	unaryCase("Sign", 0, func(k *Kernels) Unary { return k.Sign }),
	unaryCase("Floor", 0, func(k *Kernels) Unary { return k.Floor }),
	unaryCase("Round", 0, func(k *Kernels) Unary { return k.Round }),
	unaryCase("Sin", 0, func(k *Kernels) Unary { return k.Sin }),
	unaryCase("Cos", 0, func(k *Kernels) Unary { return k.Cos }),
	unaryCase("Exp", 2, func(k *Kernels) Unary { return k.Exp }),
	unaryCase("Expm1", 3, func(k *Kernels) Unary { return k.Expm1 }),
	unaryCase("Log", 2, func(k *Kernels) Unary { return k.Log }),
	unaryCase("Log1p", 0, func(k *Kernels) Unary { return k.Log1p }),
	unaryCase("Tanh", 4, func(k *Kernels) Unary { return k.Tanh }),
	unaryCase("Sigmoid", 4, func(k *Kernels) Unary { return k.Sigmoid }),
	unaryCase("Softplus", 4, func(k *Kernels) Unary { return k.Softplus }),
	unaryCase("Erf", 3, func(k *Kernels) Unary { return k.Erf }),
	unaryCase("ReLU", 0, func(k *Kernels) Unary { return k.ReLU }),
	scalarCase("LeakyReLU", 0, 0, func(k *Kernels) Scalar { return k.LeakyReLU }),
	scalarCase("ELU", 4, 0, func(k *Kernels) Scalar { return k.ELU }),
	{"GELU", 1, func(k *Kernels, dst []float32, x [][]float32, _ float32) { k.GELU(dst, x[0]) }, 4, 4e-7},
	{"SiLU", 1, func(k *Kernels, dst []float32, x [][]float32, _ float32) { k.SiLU(dst, x[0]) }, 5, 1e-42},
	binaryCase("ReLUGrad", 0, 0, func(k *Kernels) Binary { return k.ReLUGrad }),
	binaryCase("SigmoidGrad", 2, 1e-6, func(k *Kernels) Binary { return k.SigmoidGrad }),
	binaryCase("TanhGrad", 2, 1e-6, func(k *Kernels) Binary { return k.TanhGrad }),
	{"LeakyReLUGrad", 2, func(k *Kernels, dst []float32, x [][]float32, s float32) { k.LeakyReLUGrad(dst, x[0], x[1], s) }, 0, 0},
	{"ELUGrad", 2, func(k *Kernels, dst []float32, x [][]float32, s float32) { k.ELUGrad(dst, x[0], x[1], s) }, 0, 0},
	binaryCase("GELUGrad", 4, 1e-6, func(k *Kernels) Binary { return k.GELUGrad }),
	binaryCase("SiLUGrad", 4, 1e-6, func(k *Kernels) Binary { return k.SiLUGrad }),
	binaryCase("BCEWithLogits", 4, 4e-7, func(k *Kernels) Binary { return k.BCEWithLogits }),
}

var lengths = func() (n []int) {
	for i := range 71 {
		n = append(n, i)
	}
	return append(n, 127, 128, 129, 255, 300)
}()

// guard is written around dst: kernels must leave it alone.
const guard = float32(12345)

// TestElementwise compares each kernel of each tier with plain Go: every length, unaligned starts, NaN, infinities, denormals.
func TestElementwise(t *testing.T) {
	eachTier(t, func(t *testing.T, k *Kernels) {
		for _, c := range elementwiseKernels {
			t.Run(c.name, func(t *testing.T) {
				r := philox.New(1, philox.Stream(c.name))
				for _, n := range lengths {
					checkLength(t, k, c, n, n%7, r)
				}
			})
		}
	})
}

func checkLength(t *testing.T, k *Kernels, c elementwiseKernel, n, offset int, r *philox.Rand) {
	t.Helper()
	x := make([][]float32, c.in)
	for i := range x {
		x[i] = mixed(n+offset+i, r)[offset+i:]
	}
	s := []float32{0.3, 1, 1.7}[n%3]
	buf := make([]float32, n+offset+2)
	k.Fill(buf, guard)
	dst := buf[offset+1:][:n]
	c.run(k, dst, x, s)
	if buf[offset] != guard || buf[n+offset+1] != guard {
		t.Fatalf("n=%d: wrote beyond dst", n)
	}
	want := make([]float32, n)
	c.run(&goKernels, want, x, s)
	for i, w := range want {
		if !c.close(dst[i], w, x, i) {
			t.Fatalf("n=%d: element %d of %s(%v, s=%v) is %v, want %v", n, i, c.name, arguments(x, i), s, dst[i], w)
		}
	}
	for j := range x { // dst is a source, exactly
		if c.name == "AXPY" {
			break
		}
		y := make([][]float32, len(x))
		copy(y, x)
		y[j] = append([]float32{}, x[j]...)
		c.run(k, y[j], y, s)
		for i := range n {
			if !sameBits(y[j][i], dst[i]) {
				t.Fatalf("n=%d: %s over its argument %d: element %d is %v, want %v", n, c.name, j, i, y[j][i], dst[i])
			}
		}
	}
}

// TestBCEAndSigmoid holds both results to the kernels that compute one of them, bit by bit, also where a result lies over an operand.
func TestBCEAndSigmoid(t *testing.T) {
	eachTier(t, func(t *testing.T, k *Kernels) {
		r := philox.New(1, philox.Stream("both"))
		for _, n := range lengths {
			l, target := mixed(n, r), mixed(n, r)
			loss, sigmoid := make([]float32, n), make([]float32, n)
			k.BCEWithLogits(loss, l, target)
			k.Sigmoid(sigmoid, l)
			for name, out := range map[string][2][]float32{
				"apart": {make([]float32, n), make([]float32, n)}, "over both": {slices.Clone(l), slices.Clone(target)},
			} {
				x, y := l, target
				if name == "over both" {
					x, y = out[0], out[1]
				}
				k.BCEAndSigmoid(out[0], out[1], x, y)
				for i := range n {
					if !sameBits(out[0][i], loss[i]) || !sameBits(out[1][i], sigmoid[i]) {
						t.Fatalf("%s, n=%d: element %d of (%v, %v) is %v and %v, want %v and %v", name, n, i, l[i], target[i], out[0][i], out[1][i], loss[i], sigmoid[i])
					}
				}
			}
		}
	})
}

func arguments(x [][]float32, i int) string {
	s := ""
	for _, v := range x {
		s += fmt.Sprintf(" %v", v[i])
	}
	return s
}

func (c elementwiseKernel) close(got, want float32, x [][]float32, i int) bool {
	if c.ulp == 0 && c.abs == 0 {
		return sameBits(got, want)
	}
	if ulps(got, float64(want)) <= c.ulp {
		return true
	}
	size := 1.0
	for _, v := range x {
		size = max(size, 1+math.Abs(float64(v[i])))
	}
	if len(x) > 1 { // products
		size *= size
	}
	if c.abs > 1e-30 && size > 1e30 { // products overflow in one order and not in the other
		return true
	}
	return math.Abs(float64(got)-float64(want)) <= c.abs*size
}

// TestPosition checks that an element's result is the same wherever it stands: in the unrolled body, a single vector, the tail.
func TestPosition(t *testing.T) {
	const n = 101
	eachTier(t, func(t *testing.T, k *Kernels) {
		for _, c := range elementwiseKernels {
			r := philox.New(2, philox.Stream(c.name))
			x := make([][]float32, c.in)
			for i := range x {
				x[i] = mixed(n, r)
			}
			whole := make([]float32, n)
			c.run(k, whole, x, 0.3)
			for from := 0; from < n; from += 1 + from/3 {
				for to := from + 1; to <= n; to += 1 + (to-from)/2 {
					y := make([][]float32, len(x))
					for i := range x {
						y[i] = x[i][from:to]
					}
					part := make([]float32, to-from)
					c.run(k, part, y, 0.3)
					for i, got := range part {
						if !sameBits(got, whole[from+i]) {
							t.Fatalf("%s: element %d alone in [%d:%d] is %v, in [0:%d] %v", c.name, from+i, from, to, got, n, whole[from+i])
						}
					}
				}
			}
		}
	})
}
