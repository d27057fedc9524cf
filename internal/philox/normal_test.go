package philox

import (
	"math"
	"testing"
)

// exactNormals is the transformation of the same u and v in float64.
func exactNormals(a, b uint32) (z0, z1 float64) {
	u, v := float64(a>>8+1)/(1<<24), float64(b>>8)/(1<<24)
	sin, cos := math.Sincos(2 * math.Pi * v)
	r := math.Sqrt(-2 * math.Log(u))
	return r * cos, r * sin
}

func TestNormalsAgainstExact(t *testing.T) {
	edges := []uint32{0, 1 << 8, 1 << 29, 1<<29 - 256, 1 << 30, 3 << 29, 1 << 31, 5 << 29, 3 << 30, 7 << 29, math.MaxUint32 - 256, math.MaxUint32,
		0xaaaaaa00, 0xaaaaab00, 0x55555500}
	worst, sum, n := 0.0, 0.0, 0
	check := func(a, b uint32) {
		got := Normals([4]uint32{a, b, b, a})
		w0, w1 := exactNormals(a, b)
		w2, w3 := exactNormals(b, a)
		for i, want := range []float64{w0, w1, w2, w3} {
			d := math.Abs(float64(got[i]) - want)
			worst, sum, n = max(worst, d), sum+d, n+1
			if !(d <= 6e-7) {
				t.Fatalf("Normals of %08x %08x: number %d is %g, want %g", a, b, i, got[i], want)
			}
		}
	}
	for _, a := range edges {
		for _, b := range edges {
			check(a, b)
		}
	}
	for i := range uint32(200_000) {
		w := Block(1, i, 0, 0, 0)
		check(w[0], w[1])
	}
	t.Logf("largest error %.3g, mean %.3g", worst, sum/float64(n))
}

// The bits stand here so that a change of the definition, or a compiler that fuses a step, is noticed on any machine.
func TestNormalsBits(t *testing.T) {
	hash := uint32(2166136261)
	for i := range uint32(10_000) {
		for _, z := range Normals(Block(42, i, 1, 2, 3)) {
			for b := math.Float32bits(z); b != 0; b >>= 8 {
				hash = (hash ^ b&0xff) * 16777619
			}
		}
	}
	if want := uint32(0x280c0cc7); hash != want {
		t.Errorf("the FNV-1a hash of 40,000 normals is %#08x, want %#08x", hash, want)
	}
}
