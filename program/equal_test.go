package program_test

import (
	"fmt"
	"slices"
	"testing"

	"aetrain/backend/backendtest"
	"aetrain/graph"
	"aetrain/program"
)

// targets differ in what they fuse and what they compute themselves.
var targets = []program.Target{
	{},
	{Epilogue: func(o graph.Op) bool {
		return slices.Contains([]string{"MatMul", "Conv2D", "ConvTranspose2D", "GaussianSample"}, o.Name())
	}},
	{Epilogue: func(graph.Op) bool { return true }},
	{
		Epilogue: func(graph.Op) bool { return true },
		Kernel:   func(o graph.Op) bool { _, composite := o.(graph.Expander); return !composite },
		Align:    256,
	},
}

// checkEqual compiles a graph for every target and compares two steps in a row with the definition.
func checkEqual(t *testing.T, g *graph.Graph, outs map[string]graph.Value, feed map[string]graph.Tensor) {
	t.Helper()
	if g.Err() != nil {
		t.Skip(g.Err())
	}
	for i, target := range targets {
		p, err := program.Compile(g, outs, target)
		if err != nil {
			t.Fatalf("target %d: %v", i, err)
		}
		r := newInterpreter(p, feed, 1+i*5)
		now := map[string]graph.Tensor{}
		for name, x := range feed {
			now[name] = x
		}
		for range 2 {
			want, err := define(g, outs, now)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.run(); err != nil {
				t.Fatalf("target %d: %v", i, err)
			}
			compareRun(t, r, want, now, i)
		}
	}
}

// define evaluates outputs ("out.NAME") and states ("NAME") by the definition.
func define(g *graph.Graph, outs map[string]graph.Value, feed map[string]graph.Tensor) (map[string]graph.Tensor, error) {
	var names []string
	var values []graph.Value
	for name, v := range outs {
		names, values = append(names, "out."+name), append(values, v)
	}
	for _, st := range g.States() {
		names, values = append(names, st.Name), append(values, st.Now)
	}
	ts, err := graph.Evaluate(values, feed)
	want := map[string]graph.Tensor{}
	for i := range ts {
		want[names[i]] = ts[i]
	}
	return want, err
}

const tolerance = 1e-8

// compareRun holds outputs and states against the definition and makes the states the next step's.
func compareRun(t *testing.T, r *interpreter, want, now map[string]graph.Tensor, target int) {
	t.Helper()
	for _, o := range r.p.Outputs {
		if err := differ(r.fetch(o).Data, want["out."+o.Name].Data, tolerance); err != nil {
			t.Fatalf("target %d: output %s: %v\n%v", target, o.Name, err, r.p)
		}
	}
	for _, st := range r.p.States {
		if err := differ(r.states[st.Name], want[st.Name].Data, tolerance); err != nil {
			t.Fatalf("target %d: state %s: %v\n%v", target, st.Name, err, r.p)
		}
		now[st.Name] = want[st.Name]
		copy(r.states[st.Name], want[st.Name].Data) // errors of two steps do not add up
	}
}

func TestRandomGraphs(t *testing.T) {
	for seed := range uint64(600) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			g, outs, feed := backendtest.RandomGraph(backendtest.FromSeed(seed))
			checkEqual(t, g, outs, feed)
		})
	}
}

func FuzzCompile(f *testing.F) {
	for seed := range uint64(20) {
		choose, data := backendtest.FromSeed(seed), make([]byte, 300)
		for i := range data {
			data[i] = byte(choose(256))
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 2000 {
			return
		}
		g, outs, feed := backendtest.RandomGraph(fromBytes(data))
		checkEqual(t, g, outs, feed)
	})
}

// fromBytes chooses by the bytes of a fuzzer's input, and as they seed it from then on.
func fromBytes(b []byte) func(int) int {
	seed := uint64(len(b))
	for _, x := range b {
		seed = seed*31 + uint64(x)
	}
	rest := backendtest.FromSeed(seed)
	return func(n int) int {
		if len(b) == 0 {
			return rest(n)
		}
		x := int(b[0])
		b = b[1:]
		return x % n
	}
}
