package backendtest

import (
	"fmt"
	"testing"

	"aetrain/backend"
	"aetrain/graph"
	"aetrain/op"
)

// The contracts*.go files run the hard cases of the design on tiny networks as Programs: what a backend promises to the models
// that come later. Each step is held against the definition in float64; what has to be exact is compared bit by bit.

// contracts are all of them.
func contracts(t *testing.T, b backend.Backend) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, backend.Backend)
	}{
		{"straight-through code with EMA", codebook},
		{"masked loss", maskedLoss},
		{"label field", labelField},
		{"importance-weighted bound", importanceWeighted},
		{"discriminator in one phase", onePhase},
		{"two phases in turn", twoPhases},
		{"gradient penalty", gradientPenalty},
		{"Jacobian of a convolutional encoder", jacobian},
		{"loop over scratch", scratchLoop},
		{"frozen encoder", frozenEncoder},
		{"accumulation", accumulation},
		{"guard", guard},
		{"rows and steps", rowsAndSteps},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, b) })
	}
}

// drawn is a tensor of numbers in [-1, 1).
func drawn(seed uint64, dims ...int) graph.Tensor {
	return graph.Example{Args: []graph.Arg{arg(dims...)}}.Draw(seed)[0]
}

// whole is a tensor of integers.
func whole(d graph.DType, shape graph.Shape, values ...float64) graph.Tensor {
	return graph.Tensor{Spec: graph.Spec{Shape: shape, DType: d}, Data: values}
}

// weight is a parameter that starts as random numbers of its own.
func weight(g *graph.Graph, name string, dims ...int) graph.Value {
	return g.State(graph.Param, name, graph.F32(dims...), func(_ uint64, name string, x graph.Tensor) {
		seed := uint64(0)
		for _, c := range name {
			seed = seed*31 + uint64(c)
		}
		copy(x.Data, drawn(seed, dims...).Data)
	})
}

// dense is x·Wᵀ + b with the parameters name.weight (out×in) and name.bias.
func dense(g *graph.Graph, name string, x graph.Value, out int) graph.Value {
	return op.AddBias(op.MatMul(x, weight(g, name+".weight", out, x.Dim(1)), false, true), weight(g, name+".bias", out))
}

// denseParams are the names of such layers' parameters.
func denseParams(layers ...string) (names []string) {
	for _, l := range layers {
		names = append(names, l+".weight", l+".bias")
	}
	return names
}

// descend makes a step down the gradient.
func descend(g *graph.Graph, rate float64, loss graph.Value, names ...string) {
	ps := make([]graph.Value, len(names))
	for i, name := range names {
		ps[i] = g.Lookup(name).Now
	}
	for i, d := range graph.Grad(loss, ps...) {
		if d.Valid() {
			g.Assign(ps[i], op.Sub(ps[i], op.Scale(d, rate)))
		}
	}
}

// session is a graph on a backend.
type session struct {
	t    *testing.T
	g    *graph.Graph
	outs map[string]graph.Value
	exe  backend.Executable
	st   backend.State
	feed map[string]graph.Tensor
}

// begin loads graphs together over one new State. outs are by graph.
func begin(t *testing.T, b backend.Backend, graphs []*graph.Graph, outs ...map[string]graph.Value) []*session {
	t.Helper()
	st := b.NewState()
	all := make([]*session, len(graphs))
	for i, g := range graphs {
		exes, err := b.Load(st, backend.Options{Seed: 1}, compile(t, b, g, outs[i]))
		if err != nil {
			t.Fatal(err)
		}
		all[i] = &session{t: t, g: g, outs: outs[i], exe: exes[0], st: st, feed: map[string]graph.Tensor{}}
	}
	return all
}

// beginOne is begin for one graph.
func beginOne(t *testing.T, b backend.Backend, g *graph.Graph, outs map[string]graph.Value) *session {
	t.Helper()
	return begin(t, b, []*graph.Graph{g}, outs)[0]
}

// step feeds, runs, and compares outputs and states with the definition; it returns the outputs.
func (s *session) step(feed map[string]graph.Tensor) map[string]graph.Tensor {
	s.t.Helper()
	for name, x := range feed {
		s.feed[name] = x
	}
	feedAll(s.t, s.exe, s.feed)
	checkStep(s.t, s.exe, s.st, s.g, s.outs, s.feed)
	return s.fetch()
}

// run feeds and runs without a comparison.
func (s *session) run(feed map[string]graph.Tensor) map[string]graph.Tensor {
	s.t.Helper()
	for name, x := range feed {
		s.feed[name] = x
	}
	feedAll(s.t, s.exe, s.feed)
	run(s.t, s.exe, 1)
	return s.fetch()
}

func (s *session) fetch() map[string]graph.Tensor {
	s.t.Helper()
	got := map[string]graph.Tensor{}
	for _, o := range s.exe.Program().Outputs {
		got[o.Name] = fetch(s.t, s.exe, o.Name, o.Spec)
	}
	return got
}

// states are copies of all states.
func (s *session) states() map[string][]float64 {
	s.t.Helper()
	got := map[string][]float64{}
	for _, name := range s.st.Names() {
		got[name] = readState(s.t, s.st, name)
	}
	return got
}

// same wants two lists of numbers equal bit by bit.
func same(t *testing.T, what string, got, want []float64) {
	t.Helper()
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%s: element %d is %v, want exactly %v", what, i, got[i], want[i])
		}
	}
}

// near wants two lists of numbers equal to float32's precision.
func near(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	shape := graph.Shape{len(want)}
	if err := close(graph.Tensor{Spec: graph.F32(shape...), Data: got}, graph.Tensor{Spec: graph.F32(shape...), Data: want}, tolerance); err != nil {
		t.Fatal(fmt.Errorf("%s: %w", what, err))
	}
}
