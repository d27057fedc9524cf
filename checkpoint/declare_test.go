package checkpoint_test

import (
	"path/filepath"
	"testing"

	"aetrain/backend"
	"aetrain/checkpoint"
	"aetrain/cpu"
	"aetrain/graph"
	"aetrain/op"
	"aetrain/program"
)

// weights is a graph with states of every kind, a scalar among them.
func weights(t *testing.T) (*graph.Graph, *program.Program) {
	t.Helper()
	g := graph.New()
	ones := func(_ uint64, _ string, t graph.Tensor) {
		for i := range t.Data {
			t.Data[i] = float64(i + 1)
		}
	}
	x := g.Input("x", graph.F32(2, 3))
	w := g.State(graph.Param, "encoder.0.weight", graph.F32(3), ones)
	s := g.State(graph.Param, "decoder.log_variance", graph.F32(), ones)
	n := g.State(graph.Buffer, "step", graph.I32(), ones)
	scratch := g.State(graph.Scratch, "guard.bad", graph.F32(), nil)
	y := op.Add(op.Mul(op.Mul(x, w), s), op.Add(scratch, op.Cast(n, graph.Float32)))
	p, err := program.Compile(g, map[string]graph.Value{"y": y}, program.Target{})
	if err != nil {
		t.Fatal(err)
	}
	return g, p
}

// Declare makes a State of the device that weights can be loaded into before any program is.
func TestDeclare(t *testing.T) {
	b, err := cpu.Open(cpu.Threads(1))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	g, p := weights(t)
	trained := b.NewState()
	if _, err := b.Load(trained, backend.Options{}, p); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), checkpoint.Last)
	if err := checkpoint.Save(dir, trained, nil, checkpoint.Meta{}); err != nil {
		t.Fatal(err)
	}
	st := b.NewState()
	if err := checkpoint.Declare(st, g); err != nil {
		t.Fatal(err)
	}
	if got := st.Names(); len(got) != 2 {
		t.Errorf("declared %v", got)
	}
	if _, _, err := checkpoint.LoadWeights(dir, st); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Load(st, backend.Options{}, p); err != nil {
		t.Errorf("the program does not fit what was declared: %v", err)
	}
	v := backend.NewHost(graph.F32())
	if err := st.Read("decoder.log_variance", v); err != nil || v.Float32s()[0] != 1 {
		t.Errorf("the scalar is %v, %v", v.Data(), err)
	}
}
