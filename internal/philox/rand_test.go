package philox

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

var _ rand.Source = (*Rand)(nil)

func TestRandRepeats(t *testing.T) {
	a, b, other := New(1, 2), New(1, 2), New(1, 3)
	pa, pb, po := a.Perm(50), b.Perm(50), other.Perm(50)
	if !slices.Equal(pa, pb) {
		t.Errorf("same seed and stream: %v and %v", pa, pb)
	}
	if slices.Equal(pa, po) || slices.Equal(pa, a.Perm(50)) || slices.Equal(pa, a.At(1).Perm(50)) {
		t.Error("another stream, step or place of the sequence gives the same permutation")
	}
	if again := a.At(0).Perm(50); !slices.Equal(pa, again) {
		t.Errorf("from the start again: %v, want %v", again, pa)
	}
	slices.Sort(pa)
	for i, v := range pa {
		if i != v {
			t.Fatalf("sorted permutation has %d at %d", v, i)
		}
	}
}

func TestIntNIsEven(t *testing.T) {
	const n, draws = 7, 70_000
	r, count := New(5, Stream("even")), [n]float64{}
	for range draws {
		count[r.IntN(n)]++
	}
	chi := 0.0
	for _, c := range count {
		chi += (c - draws/n) * (c - draws/n) / (draws / n)
	}
	if chi > 22.5 { // one in a thousand, 6 degrees of freedom
		t.Errorf("chi-square %.1f of counts %v", chi, count)
	}
}

func TestFloatsInRange(t *testing.T) {
	r, sum := New(8, 8), 0.0
	for range 10_000 {
		f, g := r.Float64(), r.Float32()
		if f < 0 || f >= 1 || g < 0 || g >= 1 {
			t.Fatalf("Float64 %v, Float32 %v; want [0, 1)", f, g)
		}
		if z := r.NormFloat64(); math.Abs(z) > 6 {
			t.Fatalf("NormFloat64 %v", z)
		}
		sum += f
	}
	if math.Abs(sum/10_000-0.5) > 0.012 {
		t.Errorf("mean %v", sum/10_000)
	}
}
