package op

import (
	"fmt"
	"slices"
	"testing"

	"aetrain/graph"
	"aetrain/internal/gradcheck"
)

// Ops that keep something for their gradient have a fused one as long as nothing flows back to that. The losses of TestGradients seed
// every output, so its gradients are the expansions': here only results have a part in the loss, and the fused gradient is held
// against differences, as is what comes of it.
func TestFusedGradients(t *testing.T) {
	for _, c := range []struct {
		op      graph.Op
		fused   string
		results [][]int // outputs in the loss
	}{
		{SelfAttention{}, SelfAttentionGrad{}.Name(), [][]int{{0}}},
		{LSTMSequence{}, LSTMGrad{}.Name(), [][]int{{0}, {1}, {0, 1, 2}}},
		{GRUSequence{}, GRUGrad{}.Name(), [][]int{{0}, {0, 1}}},
		{RNNSequence{}, RNNGrad{}.Name(), [][]int{{0}, {0, 1}}},
	} {
		for i, e := range examplesOf(c.op.Name()) {
			for _, results := range c.results {
				t.Run(fmt.Sprintf("%s/%d/%v", c.op.Name(), i, results), func(t *testing.T) {
					checkFused(t, e, c.fused, results)
				})
			}
		}
	}
}

// examplesOf are those of a registered op that are not for timing.
func examplesOf(name string) []graph.Example {
	for _, o := range All() {
		if o.Name() == name {
			return slices.DeleteFunc(o.Examples(), func(e graph.Example) bool { return e.Bench })
		}
	}
	return nil
}

func checkFused(t *testing.T, e graph.Example, fused string, results []int) {
	c := newGradients(t, e, 5)
	c.seeds = nil
	for _, i := range results {
		c.seeds = append(c.seeds, fmt.Sprintf("seed%d", i))
	}
	g := graph.New()
	c.second(g)
	if !slices.ContainsFunc(g.Nodes(), func(n *graph.Node) bool { return n.Op.Name() == fused }) {
		t.Fatalf("the gradient has no %s", fused)
	}
	build := func(g *graph.Graph) graph.Value { loss, _ := c.build(g); return loss }
	gradcheck.Check(t, build, c.feed, gradcheck.Options{}, c.wrt...)
	c.checkSecond(t)
}
