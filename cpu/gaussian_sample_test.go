package cpu_test

import (
	"fmt"
	"slices"
	"testing"

	"aetrain/cpu"
	"aetrain/graph"
	"aetrain/op"
)

// TestGaussianSampleWithKL checks that a sample and the divergence of its distribution, which are one pass, are bit by bit what
// they are apart, on any number of workers, and that the divergence has no phase of its own.
func TestGaussianSampleWithKL(t *testing.T) {
	for _, dims := range [][]int{{1, 1}, {3, 7}, {128, 20}, {5, 100}, {2, 5003}, {600, 3}} {
		t.Run(fmt.Sprint(dims), func(t *testing.T) {
			feed := map[string]graph.Tensor{
				"seed": {Spec: graph.I32(2), Data: []float64{5, 0}},
				"step": {Spec: graph.I32(), Data: []float64{9}}, "row0": {Spec: graph.I32(), Data: []float64{40}},
			}
			draws := graph.Example{Args: []graph.Arg{{Spec: graph.F32(dims...), From: -2, To: 2}, {Spec: graph.F32(dims...), From: -3, To: 2}}}.Draw(3)
			feed["mu"], feed["logVar"] = draws[0], draws[1]
			build := func(sample, kl bool) (*graph.Graph, map[string]graph.Value) {
				g, out := graph.New(), map[string]graph.Value{}
				mu, logVar := g.Input("mu", graph.F32(dims...)), g.Input("logVar", graph.F32(dims...))
				rng := op.RNG{Seed: g.Input("seed", graph.I32(2)), Step: g.Input("step", graph.I32()), Row0: g.Input("row0", graph.I32())}
				if sample {
					out["z"] = op.GaussianSample(rng, "z", mu, logVar)
				}
				if kl {
					out["kl"] = op.KLNormal(mu, logVar)
					out["exp"] = op.Exp(out["kl"]) // read by another step
				}
				return g, out
			}
			run := func(threads int, sample, kl bool) map[string][]float32 {
				b, err := cpu.Open(cpu.Threads(threads))
				if err != nil {
					t.Fatal(err)
				}
				defer b.Close()
				g, out := build(sample, kl)
				return results(t, b, g, out, feed)
			}
			z, alone := run(1, true, false)["z"], run(1, false, true)
			for _, threads := range []int{1, 2, 5} {
				both := run(threads, true, true)
				if !slices.Equal(both["z"], z) || !slices.Equal(both["kl"], alone["kl"]) || !slices.Equal(both["exp"], alone["exp"]) {
					t.Errorf("%d workers: in one pass the sample or its divergence differs", threads)
				}
			}
			g, out := build(true, true)
			if _, phases := waitsOf(t, g, out); phases != 2 {
				t.Errorf("%d phases for a sample with its divergence and what reads it, want 2", phases)
			}
		})
	}
}
