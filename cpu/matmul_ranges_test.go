package cpu_test

import (
	"fmt"
	"math"
	"testing"

	"aetrain/cpu"
	"aetrain/cpu/cpuinfo"
	"aetrain/graph"
	"aetrain/op"
)

// TestProductRanges cuts products along K, on all tiers: many steps to a matrix, a row, a column; a few columns; with what follows and
// with the bare product wanted. Steps are as many as begin to be cut, and one less.
func TestProductRanges(t *testing.T) {
	for _, tier := range cpuinfo.Tiers() {
		b, err := cpu.Open(cpu.Threads(2), cpu.ISA(tier.String()))
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		for _, c := range []struct {
			m, n, k        int
			transA, transB bool
		}{
			{37, 21, 2048, true, false}, {61, 21, 2050, true, false}, {70, 1, 2500, true, false}, {1, 66, 2300, true, false}, {1, 1, 2100, true, false},
			{21, 37, 2047, true, false}, {33, 20, 400, false, true}, {128, 20, 403, false, false}, {50, 31, 192, false, true},
			{50, 31, 191, false, true},
		} {
			t.Run(fmt.Sprintf("%v %v", tier, c), func(t *testing.T) {
				m, n, k := c.m, c.n, c.k
				left, right := graph.F32(m, k), graph.F32(k, n)
				if c.transA {
					left = graph.F32(k, m)
				}
				if c.transB {
					right = graph.F32(n, k)
				}
				g := graph.New()
				x, y, bias := g.Input("x", left), g.Input("y", right), g.Input("bias", graph.F32(n))
				product := func() graph.Value { return op.MatMul(x, y, c.transA, c.transB) }
				outs := map[string]graph.Value{"product": product(), "out": op.ReLU(op.AddBias(op.Scale(product(), 2), bias))}
				agrees(t, b, g, outs, []graph.Value{x, y, bias}, func(want float64) float64 { return 1e-4 * (10 + math.Abs(want)) })
			})
		}
	}
}
