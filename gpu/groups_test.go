//go:build gpu

package gpu

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"aetrain/graph"
)

// TestDivisor checks the kernels' division against the machine's, at the edges of its range above all.
func TestDivisor(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 3000 {
		d := 1 + i
		if i >= 1000 {
			d = 1 + rng.IntN(math.MaxInt32)
		}
		w := divisor(d)
		for _, n := range []int{0, 1, d - 1, d, min(math.MaxInt32, d+1), math.MaxInt32 - 1, math.MaxInt32, math.MaxInt32 / d * d, max(0, math.MaxInt32/d*d-1), rng.IntN(math.MaxInt32)} {
			if got := int(uint64(n) * uint64(uint32(w[0])) >> w[1]); got != n/d {
				t.Fatalf("%d / %d is %d, want %d", n, d, got, n/d)
			}
		}
	}
}

// TestSharing checks what the kernels take for granted about how work is shared out, for many sizes.
func TestSharing(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	size := func() int { return 1 + int(math.Exp2(rng.Float64()*20)) }
	power := func(what string, n, low, high int) {
		t.Helper()
		if bits.OnesCount(uint(n)) != 1 || n < low || n > high {
			t.Errorf("%s is %d, want a power of two from %d to %d", what, n, low, high)
		}
	}
	for range 5000 {
		rows, n := size(), size()
		g := groupOf(rows, n)
		power("a row's block", g.block, 32, 1024)
		if g.shift > 5 && g.block != 1<<g.shift {
			t.Errorf("%d x %d: %+v: a group of more than a warp has to be the block", rows, n, g)
		}
		w := tilesOf(1+rng.IntN(9), rows, n)
		power("a tile's block", w.block, 32, 512)
		if w.block < 1<<w.shift || w.tiles<<w.shift < n || w.parts*w.per < rows || (w.parts-1)*w.per >= rows {
			t.Errorf("columns of %d x %d: %+v", rows, n, w)
		}
		for _, shape := range []graph.Shape{{rows, n}, {1 + rows%100, 1 + n%500, 1 + rng.IntN(60)}, {1 + rows%100, 1 + n%500, 1 + rng.IntN(10), 4}} {
			for _, split := range []bool{false, true} {
				k := channelsOf(shape, split)
				power("batch norm's block", k.block, 32, 512)
				if k.block < 1<<k.shift || k.parts*k.per < k.count || (k.parts-1)*k.per >= k.count || !split && k.parts != 1 {
					t.Errorf("channels of %v, split %v: %+v", shape, split, k)
				}
			}
		}
	}
}

// TestPasses checks that the passes of a reduction fold every reduced axis, and no other.
func TestPasses(t *testing.T) {
	for _, c := range []struct {
		shape  graph.Shape
		axes   []int
		passes int
	}{
		{graph.Shape{3, 4}, []int{1}, 1},
		{graph.Shape{3, 4}, []int{0}, 1},
		{graph.Shape{3, 4, 5, 6}, []int{0, 1, 2, 3}, 1},
		{graph.Shape{3, 1, 5}, []int{1}, 1},
		{graph.Shape{8, 16, 14, 14}, []int{0, 2, 3}, 1},
		{graph.Shape{8, 16, 2, 2}, []int{0, 2, 3}, 2},
		{graph.Shape{3, 4, 5, 6, 7}, []int{0, 2, 4}, 3},
		{graph.Shape{3, 4, 5, 6}, []int{1, 2}, 1},
	} {
		dims := alternate(c.shape, c.axes)
		kept := 1
		for i, n := range c.shape {
			if !slices.Contains(c.axes, i) {
				kept *= n
			}
		}
		for n := 1; ; n++ {
			p, rest := nextPass(dims)
			results := p.kept
			if p.columns {
				results *= p.planes
			}
			if left := sizeOf(rest); results != left && results*p.planes != left {
				t.Errorf("%v over %v: pass %d gives %d numbers, %v are left", c.shape, c.axes, n, results, rest)
			}
			dims = rest
			if folded(rest) {
				if n != c.passes || sizeOf(rest) != kept {
					t.Errorf("%v over %v: %d passes to %d numbers, want %d to %d", c.shape, c.axes, n, sizeOf(rest), c.passes, kept)
				}
				break
			}
		}
	}
}
