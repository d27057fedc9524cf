package backendtest

import (
	"context"
	"testing"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/graph"
	"aetrain/op"
	"aetrain/program"
)

// states checks what outlives a step: assignments in place and not, swaps, several programs over one State, Scratch fed back.
func states(t *testing.T, b backend.Backend) {
	t.Run("assign", func(t *testing.T) { assign(t, b) })
	t.Run("swap", func(t *testing.T) { swap(t, b) })
	t.Run("two programs", func(t *testing.T) { twoPrograms(t, b) })
	t.Run("read and write", func(t *testing.T) { readWrite(t, b) })
}

func compile(t *testing.T, b backend.Backend, g *graph.Graph, outs map[string]graph.Value) *program.Program {
	t.Helper()
	p, err := program.Compile(g, outs, b.Capabilities().Target)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func run(t *testing.T, exe backend.Executable, times int) {
	t.Helper()
	for range times {
		if err := exe.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

func readState(t *testing.T, st backend.State, name string) []float64 {
	t.Helper()
	s, _, ok := st.Spec(name)
	if !ok {
		t.Fatalf("no state %s", name)
	}
	h := backend.NewHost(s)
	if err := st.Read(name, h); err != nil {
		t.Fatal(err)
	}
	return reference(h, s).Data
}

func want(t *testing.T, what string, got []float64, want ...float64) {
	t.Helper()
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%s: got %v, want %v", what, got, want)
			return
		}
	}
}

func ones(_ uint64, _ string, t graph.Tensor) {
	for i := range t.Data {
		t.Data[i] = 1
	}
}

// assign: w <- w - 0.5, and an output that reads w as it was before, and one that reads it as it is after.
func assign(t *testing.T, b backend.Backend) {
	g := graph.New()
	w := g.State(graph.Param, "w", graph.F32(3), ones)
	g.Assign(w, op.AddConst(w, -0.5))
	now := g.State(graph.Param, "w", graph.F32(3), ones)
	st := b.NewState()
	exe := load(t, b, st, compile(t, b, g, map[string]graph.Value{"before": op.Scale(w, 10), "was": w, "after": op.Scale(now, 100)}))
	run(t, exe, 2)
	want(t, "w", readState(t, st, "w"), 0, 0, 0)
	want(t, "before", fetch(t, exe, "before", graph.F32(3)).Data, 5, 5, 5)
	want(t, "w as it was", fetch(t, exe, "was", graph.F32(3)).Data, 0.5, 0.5, 0.5)
	want(t, "after", fetch(t, exe, "after", graph.F32(3)).Data, 0, 0, 0)
}

// swap: each state takes the other's old value.
func swap(t *testing.T, b backend.Backend) {
	g := graph.New()
	x := g.State(graph.Buffer, "x", graph.F32(2), ones)
	y := g.State(graph.Buffer, "y", graph.F32(2), nil)
	g.Assign(x, y)
	g.Assign(y, x)
	st := b.NewState()
	exe := load(t, b, st, compile(t, b, g, nil))
	run(t, exe, 1)
	want(t, "x", readState(t, st, "x"), 0, 0)
	want(t, "y", readState(t, st, "y"), 1, 1)
	run(t, exe, 1)
	want(t, "x again", readState(t, st, "x"), 1, 1)
}

// twoPrograms: one updates what the other reads.
func twoPrograms(t *testing.T, b backend.Backend) {
	train := graph.New()
	w := train.State(graph.Param, "w", graph.F32(2, 2), ones)
	train.Assign(w, op.Add(w, w))
	eval := graph.New()
	x := eval.Input("x", graph.F32(1, 2))
	y := op.MatMul(x, eval.State(graph.Param, "w", graph.F32(2, 2), ones), false, false)
	st := b.NewState()
	exes, err := b.Load(st, backend.Options{}, compile(t, b, train, nil), compile(t, b, eval, map[string]graph.Value{"y": y}))
	if err != nil {
		t.Fatal(err)
	}
	feedAll(t, exes[1], map[string]graph.Tensor{"x": {Spec: graph.F32(1, 2), Data: []float64{1, 2}}})
	run(t, exes[1], 1)
	want(t, "y", fetch(t, exes[1], "y", graph.F32(1, 2)).Data, 3, 3)
	run(t, exes[0], 2)
	run(t, exes[1], 1)
	want(t, "y after two steps", fetch(t, exes[1], "y", graph.F32(1, 2)).Data, 12, 12)
}

// readWrite: what is written is read back and used.
func readWrite(t *testing.T, b backend.Backend) {
	st := b.NewState()
	src := tensor.New(tensor.WithShape(2), tensor.WithBacking([]float32{3, 4}))
	if err := st.Write("w", graph.Param, src); err != nil {
		t.Fatal(err)
	}
	g := graph.New()
	w := g.State(graph.Param, "w", graph.F32(2), ones)
	exe := load(t, b, st, compile(t, b, g, map[string]graph.Value{"y": op.Square(w)}))
	run(t, exe, 1)
	want(t, "y", fetch(t, exe, "y", graph.F32(2)).Data, 9, 16)

	// A scalar, as a checkpoint brings it: before any program has declared it.
	st = b.NewState()
	if err := st.Write("count", graph.Buffer, Host(graph.Tensor{Spec: graph.I32(), Data: []float64{41}})); err != nil {
		t.Fatal(err)
	}
	g = graph.New()
	count := g.State(graph.Buffer, "count", graph.I32(), nil)
	g.Assign(count, op.Increment(count))
	run(t, load(t, b, st, compile(t, b, g, nil)), 1)
	want(t, "count", readState(t, st, "count"), 42)
}

// errors: wrong names, shapes and types are errors, never panics.
func errors(t *testing.T, b backend.Backend) {
	g := graph.New()
	x := g.Input("x", graph.F32(2))
	st := b.NewState()
	exe := load(t, b, st, compile(t, b, g, map[string]graph.Value{"y": op.Square(x)}))
	right, wrong := backend.NewHost(graph.F32(2)), backend.NewHost(graph.F32(3))
	for name, err := range map[string]error{
		"feed unknown":  exe.Feed("z", right),
		"feed shape":    exe.Feed("x", wrong),
		"feed type":     exe.Feed("x", backend.NewHost(graph.I32(2))),
		"fetch unknown": exe.Fetch("z", right),
		"fetch shape":   exe.Fetch("y", wrong),
		"state unknown": st.Read("w", right),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if exe.Run(ctx) == nil {
		t.Error("run of a cancelled context: no error")
	}
}
