package cpu_test

import (
	"slices"
	"testing"

	"aetrain/backend"
	"aetrain/cpu"
	"aetrain/graph"
	"aetrain/op"
	"aetrain/program"
)

// TestSideBySide: results that have nothing to do with one another are computed without a wait in between, what follows from them
// behind one. TestDepthFirst has the bits.
func TestSideBySide(t *testing.T) {
	rows := func(x graph.Value) graph.Value { return op.ReduceSum(x, 1) } // a step of its own
	for _, c := range []struct {
		name  string
		build func(x graph.Value) []graph.Value
		waits int
	}{
		{"four of one input", func(x graph.Value) []graph.Value {
			return []graph.Value{rows(x), op.Softmax(x), op.Transpose(x, 1, 0), op.ArgMax(x)}
		}, 1},
		{"one from the other", func(x graph.Value) []graph.Value { return []graph.Value{rows(op.Softmax(op.Softmax(x)))} }, 3},
		{"in the program's order", func(x graph.Value) []graph.Value {
			y, z := op.Softmax(x), op.LogSoftmax(x)
			return []graph.Value{rows(y), rows(z)} // softmax, its sums beside the other softmax, sums
		}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := graph.New()
			out := map[string]graph.Value{}
			for i, v := range c.build(g.Input("x", graph.F32(40, 30))) {
				out[string(rune('a'+i))] = v
			}
			if waits, _ := waitsOf(t, g, out); waits != c.waits {
				t.Errorf("%d waits, want %d", waits, c.waits)
			}
		})
	}
	g, out := pooled(4)
	apart, phases := waitsOf(t, g, out, cpu.Depth(false))
	if apart != phases {
		t.Errorf("apart: %d waits for %d phases", apart, phases)
	}
	g, out = pooled(4)
	if waits, _ := waitsOf(t, g, out); waits > phases-8 { // nine parameters are updated at once
		t.Errorf("%d waits for %d phases", waits, phases)
	}
}

func waitsOf(t *testing.T, g *graph.Graph, out map[string]graph.Value, options ...cpu.Option) (waits, phases int) {
	t.Helper()
	b, err := cpu.Open(slices.Concat(options, []cpu.Option{cpu.Threads(2)})...)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	p, err := program.Compile(g, out, b.Capabilities().Target)
	if err != nil {
		t.Fatal(err)
	}
	es, err := b.Load(b.NewState(), backend.Options{}, p)
	if err != nil {
		t.Fatal(err)
	}
	return cpu.Waits(es[0])
}
