package program

import (
	"errors"
	"fmt"
	"sort"

	"aetrain/graph"
)

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
	before := count(m)
	if m, err = simplify(m); err != nil {
		return nil, err
	}
	p := &Program{NodesBefore: before, NodesAfter: count(m)}
	groups := fuse(m, t)
	order, err := schedule(groups)
	if err != nil {
		return nil, err
	}
	lower(p, m, order)
	place(p, max(t.Align, 1))
	return p, Verify(p)
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

func count(m *module) (n int) {
	for _, needed := range live(m.g, m.roots()) {
		if needed {
			n++
		}
	}
	return n
}
