package backendtest

import (
	"fmt"
	"testing"

	"aetrain/backend"
	"aetrain/graph"
	"aetrain/program"
)

// randomTolerance is wider than that of single ops: errors of a dozen of them add up, and differences amplify them.
const randomTolerance = 1e-3

// randomPrograms runs steps of random graphs: outputs, and the states that they leave.
func randomPrograms(t *testing.T, b backend.Backend) {
	for seed := range uint64(150) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			g, outs, feed := RandomGraph(FromSeed(seed))
			if g.Err() != nil {
				t.Skip(g.Err())
			}
			for name, x := range feed {
				if len(x.Data) == 0 {
					t.Skipf("%s has no elements: host tensors always have some", name)
				}
			}
			exe, st := start(t, b, g, outs, feed)
			for range 2 {
				checkStep(t, exe, st, g, outs, feed)
			}
		})
	}
}

// start compiles and loads g over a new State, which holds what feed says, and feeds the inputs.
func start(t *testing.T, b backend.Backend, g *graph.Graph, outs map[string]graph.Value, feed map[string]graph.Tensor) (backend.Executable, backend.State) {
	t.Helper()
	st := b.NewState()
	for _, s := range g.States() {
		if x, ok := feed[s.Name]; ok {
			if err := st.Write(s.Name, s.Kind, Host(graph.Tensor{Spec: s.Spec, Data: x.Data})); err != nil {
				t.Fatal(err)
			}
		}
	}
	exe := load(t, b, st, compile(t, b, g, outs))
	feedAll(t, exe, feed)
	return exe, st
}

// checkStep runs a step and holds outputs and states against the definition of what they were before it.
func checkStep(t *testing.T, exe backend.Executable, st backend.State, g *graph.Graph, outs map[string]graph.Value, feed map[string]graph.Tensor) {
	t.Helper()
	p := exe.Program()
	now := map[string]graph.Tensor{}
	for name, x := range feed {
		now[name] = x
	}
	var values []graph.Value
	for _, s := range p.States {
		now[s.Name] = graph.Tensor{Spec: s.Spec, Data: readState(t, st, s.Name)}
		values = append(values, g.Lookup(s.Name).Now)
	}
	for _, o := range p.Outputs {
		values = append(values, outs[o.Name])
	}
	want, err := graph.Evaluate(values, now)
	if err != nil {
		t.Fatal(err)
	}
	run(t, exe, 1)
	for i, s := range p.States {
		got := graph.Tensor{Spec: s.Spec, Data: readState(t, st, s.Name)}
		compareNamed(t, p, "state "+s.Name, got, want[i])
	}
	for i, o := range p.Outputs {
		compareNamed(t, p, "output "+o.Name, fetch(t, exe, o.Name, o.Spec), want[len(p.States)+i])
	}
}

func compareNamed(t *testing.T, p *program.Program, name string, got, want graph.Tensor) {
	t.Helper()
	if err := close(got, want, randomTolerance); err != nil {
		t.Fatalf("%s: %v\n%v", name, err, p)
	}
}
