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

// TestLongProduct cuts products along K, on all tiers: matrices, a row, a column, with what follows and with the bare product wanted.
func TestLongProduct(t *testing.T) {
	for _, tier := range cpuinfo.Tiers() {
		b, err := cpu.Open(cpu.Threads(2), cpu.ISA(tier.String()))
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		for _, dims := range [][3]int{{37, 21, 2048}, {70, 1, 2500}, {1, 66, 2300}, {1, 1, 2100}, {21, 37, 2047}} {
			t.Run(fmt.Sprintf("%v %v", tier, dims), func(t *testing.T) {
				m, n, k := dims[0], dims[1], dims[2]
				g := graph.New()
				x, y, bias := g.Input("x", graph.F32(k, m)), g.Input("y", graph.F32(k, n)), g.Input("bias", graph.F32(n))
				p := op.MatMul(x, y, true, false)
				outs := map[string]graph.Value{"product": p, "out": op.ReLU(op.AddBias(op.Scale(op.MatMul(x, y, true, false), 2), bias))}
				feed := map[string]graph.Tensor{}
				for i, v := range []graph.Value{x, y, bias} {
					name := []string{"x", "y", "bias"}[i]
					feed[name] = graph.NewTensor(v.Spec())
					for j := range feed[name].Data {
						feed[name].Data[j] = float64(float32(math.Sin(float64(3*i + j*j%101))))
					}
				}
				got := results(t, b, g, outs, feed)
				for name, v := range outs {
					want, err := graph.Evaluate([]graph.Value{v}, feed)
					if err != nil {
						t.Fatal(err)
					}
					for i, w := range want[0].Data {
						if d := math.Abs(float64(got[name][i]) - w); d > 1e-4*(10+math.Abs(w)) {
							t.Fatalf("%s[%d] is %v, want %v", name, i, got[name][i], w)
						}
					}
				}
			})
		}
	}
}
