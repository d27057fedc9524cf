package cpu_test

import (
	"math"
	"testing"

	"aetrain/cpu"
	"aetrain/cpu/cpuinfo"
	"aetrain/graph"
	"aetrain/op"
)

// TestLayerNormManyRows: the parameters' gradients are sums of thousands of numbers, large ones which cancel out for the most part; what is left
// is right to the rounding of sums in blocks; in one sum it is twice as far off as is allowed here.
func TestLayerNormManyRows(t *testing.T) {
	const rows = 20000
	for _, tier := range cpuinfo.Tiers() {
		t.Run(tier.String(), func(t *testing.T) {
			b := openTier(t, tier, 2).(*cpu.Backend)
			g, feed := graph.New(), map[string]graph.Tensor{}
			input := func(name string, f func(i int) float64, dims ...int) graph.Value {
				x := graph.NewTensor(graph.F32(dims...))
				for i := range x.Data {
					x.Data[i] = float64(float32(f(i)))
				}
				feed[name] = x
				return g.Input(name, x.Spec)
			}
			wave := func(i int) float64 { return math.Sin(float64(i%977) * 0.7) }
			vs := g.Apply(op.LayerNormGrad{Eps: 1e-3},
				input("x", func(i int) float64 { return wave(3 * i) }, rows, 1), input("gamma", func(int) float64 { return 1.5 }, 1),
				input("dy", func(i int) float64 { return 1 + wave(i)/3 - 2*float64(i/(rows/2)) }, rows, 1), // first up to 10,000, then back
				input("mean", wave, rows), input("variance", func(i int) float64 { return 1 + wave(i)/2 }, rows))
			want, err := graph.Evaluate(vs, feed)
			if err != nil {
				t.Fatal(err)
			}
			got := results(t, b, g, map[string]graph.Value{"dGamma": vs[1], "dBeta": vs[2]}, feed)
			for i, name := range []string{"dGamma", "dBeta"} {
				if w := want[i+1].Data[0]; !(math.Abs(float64(got[name][0])-w) <= 4e-3) { // a unit in the last place of 10,000 is 1e-3
					t.Errorf("%s is %v, want %v", name, got[name][0], w)
				}
			}
		})
	}
}
