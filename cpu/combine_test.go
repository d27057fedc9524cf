package cpu

import (
	"slices"
	"testing"

	"aetrain/cpu/cpuinfo"
)

// TestCombine holds the vector kernels to their reference, for lengths around whole vectors, and looks behind the ends. The numbers
// are small integers, so that all sums are exact.
func TestCombine(t *testing.T) {
	src := make([]float32, 400)
	for i := range src {
		src[i] = float32(i*37%101 - 50)
	}
	for _, tier := range cpuinfo.Tiers() {
		for terms := 1; terms <= 4; terms++ {
			for n := 1; n <= 33; n++ {
				for _, count := range []int{1, 3} {
					l := &linear{terms: terms, coef: [4]float32{1, -1, 0.5, 2}}
					for i := range terms {
						l.src[i] = src[i*11:]
					}
					got, want := make([]float32, 3*40), make([]float32, 3*40)
					combine(tier, got, l, n, count, 40, 50)
					combineGo(want, l, 0, n, count, 40, 50)
					if !slices.Equal(got, want) {
						t.Errorf("%v: %d vectors of %d by %d terms are %v, want %v", tier, count, n, terms, got, want)
					}
				}
			}
		}
	}
}
