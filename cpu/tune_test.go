package cpu

import (
	"testing"

	"aetrain/backend"
	"aetrain/graph"
	"aetrain/internal/cachedir"
	"aetrain/op"
	"aetrain/program"
)

// Measuring candidates leaves states as they are: training begins with them.
func TestAutotuneLeavesStates(t *testing.T) {
	t.Setenv(cachedir.Variable, t.TempDir())
	b, err := Open(Threads(2))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	one := func(_ uint64, _ string, v graph.Tensor) {
		for i := range v.Data {
			v.Data[i] = 1
		}
	}
	g := graph.New()
	x, sum := g.Input("x", graph.F32(2, 16, 12, 12)), g.State(graph.Buffer, "sum", graph.F32(2, 16, 12, 12), one)
	w := g.State(graph.Param, "w", graph.F32(16, 16, 3, 3), one)
	g.Assign(sum, op.AddConst(op.Add(sum, op.Conv2D(x, w, op.ConvConfig{PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1})), 1))
	p, err := program.Compile(g, nil, b.Capabilities().Target)
	if err != nil {
		t.Fatal(err)
	}
	st := b.NewState()
	exes, err := b.Load(st, backend.Options{Autotune: true}, p)
	if err != nil {
		t.Fatal(err)
	}
	if c := exes[0].Explain()[0]; len(p.Steps) != 1 || c.Reason != "measured" {
		t.Fatalf("%d steps, the first is %s for %s: nothing was measured that writes a state", len(p.Steps), c.Kernel, c.Reason)
	}
	got := backend.NewHost(graph.F32(2, 16, 12, 12))
	if err := st.Read("sum", got); err != nil {
		t.Fatal(err)
	}
	if v := got.Float32s()[0]; v != 1 {
		t.Errorf("after loading the state is %v, want 1", v)
	}
}
