package program

import (
	"errors"
	"fmt"
	"sort"

	"aetrain/graph"
)

// unit is a program on its way through the passes.
type unit struct {
	t      Target
	m      *module  // the graph, until it is lowered
	groups []*group // from fuse on
	p      *Program // from lower on
}

// pass takes a unit a step further.
type pass struct {
	name string
	run  func(*unit) error
}

// passes run in this order. The verifier stands wherever nodes are new: a mistake is found where it is made.
var passes = []pass{
	{"verify", verifyGraph},
	{"count", func(u *unit) error { u.p.NodesBefore = u.m.count(); return nil }},
	{"expand", expand},
	{"simplify", simplify},
	{"verify", verifyGraph},
	{"fuse", fuse},
	{"schedule", schedule},
	{"lower", lower},
	{"reuse", reuse},
	{"place", place},
	{"verify", func(u *unit) error { return Verify(u.p) }},
}

// Compile turns g into a Program that computes out and leaves every assigned state with its new value.
// It returns the graph's own first error, if it has one.
func Compile(g *graph.Graph, out map[string]graph.Value, t Target) (*Program, error) {
	if err := g.Err(); err != nil {
		return nil, err
	}
	m, err := collect(g, out)
	if err != nil {
		return nil, err
	}
	u := &unit{t: t, m: m, p: &Program{Precision: t.Precision}}
	for _, p := range passes {
		if err := p.run(u); err != nil {
			return nil, fmt.Errorf("program: %s: %w", p.name, err)
		}
	}
	return u.p, nil
}

// collect names what the program has to compute.
func collect(g *graph.Graph, out map[string]graph.Value) (*module, error) {
	m := &module{g: g}
	for name, v := range out {
		if !v.Valid() || v.Graph() != g {
			return nil, fmt.Errorf("program: output %s is no value of the graph", name)
		}
		m.outputs = append(m.outputs, named{name, v})
	}
	sort.Slice(m.outputs, func(i, j int) bool { return m.outputs[i].name < m.outputs[j].name })
	for _, st := range g.States() {
		if st.Now != st.Leaf {
			m.assigns = append(m.assigns, named{st.Name, st.Now})
		}
	}
	if len(m.outputs)+len(m.assigns) == 0 {
		return nil, errors.New("program: nothing to compute: no output and no assigned state")
	}
	return m, nil
}
