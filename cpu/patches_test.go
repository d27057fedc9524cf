package cpu

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"aetrain/cpu/cpuinfo"
)

// TestPairs holds the kernels that deal and interleave to their reference, for every short length, and looks behind the ends.
func TestPairs(t *testing.T) {
	for _, tier := range cpuinfo.Tiers() {
		for n := range 40 {
			src := make([]float32, 2*n+8)
			for i := range src {
				src[i] = float32(i + 1)
			}
			even, odd, wantEven, wantOdd := make([]float32, n+8), make([]float32, n+8), make([]float32, n+8), make([]float32, n+8)
			deal2(tier, even[:n], odd[:n], src[:2*n])
			deal2Go(wantEven[:n], wantOdd[:n], src[:2*n])
			if !slices.Equal(even, wantEven) || !slices.Equal(odd, wantOdd) {
				t.Errorf("%v: deal of %d gives %v and %v, want %v and %v", tier, n, even, odd, wantEven, wantOdd)
			}
			got := make([]float32, 2*n+8)
			interleave2(tier, got[:2*n], even[:n], odd[:n])
			if !slices.Equal(got[:2*n], src[:2*n]) || got[2*n] != 0 {
				t.Errorf("%v: interleave of %d gives %v", tier, n, got)
			}
		}
	}
}

// TestPatches holds the packed panels to their definition, element by element.
func TestPatches(t *testing.T) {
	for _, tier := range cpuinfo.Tiers() {
		for _, c := range []struct{ panel, images, rows, cols int }{{4, 1, 3, 5}, {16, 1, 14, 14}, {16, 3, 7, 7}, {32, 2, 5, 3}, {16, 5, 1, 1}, {32, 1, 2, 40}} {
			if c.panel == 4 && vectorMoves(tier) {
				continue
			}
			pitch := c.cols + 2
			size := (c.rows + 2) * pitch
			src := make([]float32, c.images*size+windowSlack)
			for i := range src {
				src[i] = float32(i)
			}
			offs := []int{0, 1, pitch, pitch + 2, 2}
			p := patches{src, offs, columnsOf(c.panel, vectorMoves(tier), c.images, size, c.rows, pitch, c.cols)}
			n := c.images * c.rows * c.cols
			panels := (n + c.panel - 1) / c.panel
			dst := make([]float32, panels*c.panel*len(offs))
			p.PackB(dst, 0, len(offs), 0, n)
			for i := range n {
				img, y, x := i/(c.rows*c.cols), i/c.cols%c.rows, i%c.cols
				for k, off := range offs {
					want := float32(off + img*size + y*pitch + x)
					if got := dst[i/c.panel*c.panel*len(offs)+k*c.panel+i%c.panel]; got != want {
						t.Fatalf("%v: %+v: element (%d, %d) is %v, want %v", tier, c, k, i, got, want)
					}
				}
			}
		}
	}
}

// TestMaxPairs holds the vector kernel to its reference with ties, zeros of both signs, infinities and NaN, for short lengths.
func TestMaxPairs(t *testing.T) {
	values := []float32{1, 2, 2, -1, 0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN())}
	rng := rand.New(rand.NewPCG(1, 1))
	for _, tier := range cpuinfo.Tiers() {
		for n := range 60 {
			n := n % 20
			a, b := make([]float32, 2*n), make([]float32, 2*n)
			for i := range a {
				a[i], b[i] = values[rng.IntN(len(values))], values[rng.IntN(len(values))]
			}
			y, places, wantY, wantPlaces := make([]float32, n), make([]int32, n+1), make([]float32, n), make([]int32, n+1)
			maxPairs(tier, y, places[:n], a, b, 100, 31)
			for j := range n { // the definition, as op.MaxPool has it
				best, at := a[2*j], 100+2*j
				for k, v := range []float32{a[2*j+1], b[2*j], b[2*j+1]} {
					if v > best || v != v && best == best {
						best, at = v, 100+2*j+[]int{1, 31, 32}[k]
					}
				}
				wantY[j], wantPlaces[j] = best, int32(at)
			}
			for j := range n {
				if y[j] != wantY[j] && (y[j] == y[j] || wantY[j] == wantY[j]) || places[j] != wantPlaces[j] {
					t.Fatalf("%v: pair %d of %v over %v is %v at %d, want %v at %d", tier, j, a, b, y[j], places[j], wantY[j], wantPlaces[j])
				}
			}
			if places[n] != 0 {
				t.Fatalf("%v: writes behind %d places", tier, n)
			}
		}
	}
}
