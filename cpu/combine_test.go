package cpu

import (
	"slices"
	"testing"

	"aetrain/cpu/cpuinfo"
)

// TestCombine holds the vector kernels to their reference, for lengths around whole vectors, and looks behind the ends. The numbers
// are small integers, so that all sums are exact.
func TestCombine(t *testing.T) {
	src := make([]float32, 600)
	for i := range src {
		src[i] = float32(i*37%101 - 50)
	}
	for _, tier := range cpuinfo.Tiers() {
		for terms := 1; terms <= 4; terms++ {
			for n := 1; n <= 33; n++ {
				for _, rows := range []int{1, 3} {
					l := &linear{terms: terms, coef: [4]float32{1, -1, 0.5, 2}}
					for i := range terms {
						l.src[i] = src[i*11:]
					}
					g := grid{n: n, count: 4 - rows, rows: rows, dstStep: 40, srcStep: 50, dstRow: 90, srcRow: 120}
					got, want := make([]float32, 6*40), make([]float32, 6*40)
					combine(tier, got, l, g)
					combineGo(want, l, g, 0)
					if !slices.Equal(got, want) {
						t.Errorf("%v: %+v by %d terms gives %v, want %v", tier, g, terms, got, want)
					}
				}
			}
		}
	}
}
