package program

import (
	"fmt"

	"aetrain/graph"
)

// module is a graph between passes: what has to be computed, by name.
type module struct {
	g       *graph.Graph
	outputs []named // what Fetch reads
	assigns []named // what the states hold after the step
}

type named struct {
	name  string
	value graph.Value
}

// roots are all values that have to be computed.
func (m *module) roots() []graph.Value {
	vs := make([]graph.Value, 0, len(m.outputs)+len(m.assigns))
	for _, o := range m.outputs {
		vs = append(vs, o.value)
	}
	for _, a := range m.assigns {
		vs = append(vs, a.value)
	}
	return vs
}

// live marks the nodes that roots need.
func live(g *graph.Graph, roots []graph.Value) []bool {
	needed := make([]bool, len(g.Nodes()))
	for _, v := range roots {
		needed[v.Node.ID] = true
	}
	for id := len(needed) - 1; id >= 0; id-- {
		if needed[id] {
			for _, in := range g.Nodes()[id].In {
				needed[in.Node.ID] = true
			}
		}
	}
	return needed
}

// rewriter builds a new graph node by node; rules see inputs that are rewritten already.
type rewriter struct {
	g    *graph.Graph
	memo map[graph.Value]graph.Value
	seen map[string]*graph.Node // common subexpressions, by key
}

// rewrite returns m rebuilt through rules: dead nodes are gone, equal nodes are one, and each node went through the first
// rule that applied.
func (m *module) rewrite(rules []rule) (*module, error) {
	r := &rewriter{g: graph.New(), memo: map[graph.Value]graph.Value{}, seen: map[string]*graph.Node{}}
	needed := live(m.g, m.roots())
	for _, st := range m.g.States() { // all states keep their order, needed or not
		if needed[st.Leaf.Node.ID] || st.Now != st.Leaf {
			r.memo[st.Leaf] = r.g.State(st.Kind, st.Name, st.Spec, st.Init)
		}
	}
	for id, n := range m.g.Nodes() {
		if needed[id] {
			r.node(n, rules)
		}
	}
	if err := r.g.Err(); err != nil {
		return nil, fmt.Errorf("program: simplify: %w", err)
	}
	out := &module{g: r.g}
	for _, o := range m.outputs {
		out.outputs = append(out.outputs, named{o.name, r.memo[o.value]})
	}
	for _, a := range m.assigns {
		out.assigns = append(out.assigns, named{a.name, r.memo[a.value]})
	}
	return out, nil
}

func (r *rewriter) node(n *graph.Node, rules []rule) {
	defer r.g.Enter(n.Path)()
	in := make([]graph.Value, len(n.In))
	for i, v := range n.In {
		in[i] = r.memo[v]
	}
	switch o := n.Op.(type) {
	case graph.Read:
		return // declared before the first node
	case graph.Input:
		r.memo[n.Value(0)] = r.g.Input(o.Label, o.Spec)
		return
	}
	for _, rule := range rules {
		if v := rule(r, n.Op, in); v.Valid() {
			r.memo[n.Value(0)] = v
			return
		}
	}
	for i, v := range r.apply(n.Op, in...) {
		if i < len(n.Out) {
			r.memo[n.Value(i)] = v
		}
	}
}

// apply adds a node, or finds the equal one that is there.
func (r *rewriter) apply(o graph.Op, in ...graph.Value) []graph.Value {
	key := opKey(o)
	for _, v := range in {
		key += fmt.Sprintf("|%d.%d", v.Node.ID, v.Index)
	}
	if n := r.seen[key]; n != nil {
		vs := make([]graph.Value, len(n.Out))
		for i := range vs {
			vs[i] = n.Value(i)
		}
		return vs
	}
	vs := r.g.Apply(o, in...)
	if vs[0].Node.ID >= 0 {
		r.seen[key] = vs[0].Node
	}
	return vs
}

// one is apply for an op with a single output.
func (r *rewriter) one(o graph.Op, in ...graph.Value) graph.Value { return r.apply(o, in...)[0] }

// fill is a constant of one number.
func (r *rewriter) fill(s graph.Spec, x float64) graph.Value {
	return r.one(graph.Constant{Spec: s, Data: []float64{x}})
}

// opKey tells ops with different attributes apart.
func opKey(o graph.Op) string {
	if k, ok := o.(interface{ Key() string }); ok {
		return fmt.Sprintf("%s:%s", o.Name(), k.Key())
	}
	return fmt.Sprintf("%s:%T%+v", o.Name(), o, o)
}
