package cpu_test

import (
	"context"
	"testing"

	"aetrain/backend"
	"aetrain/cpu"
	"aetrain/graph"
	"aetrain/op"
	"aetrain/program"
)

// TestPackedAhead: a program that only reads a weight sees what a Write, another program and a loop of both have made of it.
func TestPackedAhead(t *testing.T) {
	const m, n, k = 70, 50, 40
	b, err := cpu.Open(cpu.Threads(2))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	weights := func(g *graph.Graph) graph.Value { return g.State(graph.Param, "w", graph.F32(n, k), nil) }
	compile := func(g *graph.Graph, out map[string]graph.Value) *program.Program {
		p, err := program.Compile(g, out, b.Capabilities().Target)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	g := graph.New()
	x := g.Input("x", graph.F32(m, k))
	reads := compile(g, map[string]graph.Value{"y": op.MatMul(x, weights(g), false, true)})
	g = graph.New()
	g.Assign(weights(g), op.AddConst(weights(g), 1))
	adds := compile(g, nil)
	st := b.NewState()
	exes, err := b.Load(st, backend.Options{}, reads, adds)
	if err != nil {
		t.Fatal(err)
	}
	ones, w := b.Host(graph.F32(m, k)), b.Host(graph.F32(n, k))
	for i := range ones.Float32s() {
		ones.Float32s()[i] = 1
	}
	if err := exes[0].Feed("x", ones); err != nil {
		t.Fatal(err)
	}
	y := b.Host(graph.F32(m, n))
	check := func(what string, weight float32) {
		t.Helper()
		for range 2 { // packed, and found packed
			if err := exes[0].Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			if err := exes[0].Fetch("y", y); err != nil {
				t.Fatal(err)
			}
			for i, got := range y.Float32s() {
				if got != k*weight {
					t.Fatalf("%s: y[%d] is %v, want %v", what, i, got, k*weight)
				}
			}
		}
	}
	check("at first", 0)
	for i := range w.Float32s() {
		w.Float32s()[i] = 5
	}
	if err := st.Write("w", graph.Param, w); err != nil {
		t.Fatal(err)
	}
	check("written", 5)
	for i := range 3 {
		if err := exes[1].Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		check("assigned", float32(6+i))
	}
	if _, err := exes[0].(backend.Profiler).Profile(context.Background(), 1); err != nil {
		t.Fatal(err)
	}
	check("profiled", 8)
	if _, err := exes[1].(backend.Profiler).Profile(context.Background(), 1); err != nil {
		t.Fatal(err)
	}
	check("profiled where it is assigned", 9)
}
