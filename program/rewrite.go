package program

import (
	"fmt"
	"strconv"

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

// count is how many nodes are needed.
func (m *module) count() (n int) {
	for _, needed := range live(m.g, m.roots()) {
		if needed {
			n++
		}
	}
	return n
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

// uses counts, by node ID, how often needed nodes and the outside read a node.
func (m *module) uses(needed []bool) []int {
	uses := make([]int, len(needed))
	for id, n := range m.g.Nodes() {
		if needed[id] {
			for _, in := range n.In {
				uses[in.Node.ID]++
			}
		}
	}
	for _, r := range m.roots() {
		uses[r.Node.ID]++
	}
	return uses
}

// rewriter builds a new graph node by node; replacements see inputs that are rewritten already.
type rewriter struct {
	g    *graph.Graph
	memo map[graph.Value]graph.Value
	seen map[string]*graph.Node // common subexpressions, by key
	// only says that nothing but the node at hand reads its first input.
	only bool
}

// replace returns the outputs to use instead of node n, whose inputs have become in; nil where n stays.
type replace func(r *rewriter, n *graph.Node, in []graph.Value) []graph.Value

// rewrite returns m rebuilt: dead nodes are gone, equal nodes are one, and each node went through f.
func (m *module) rewrite(f replace) (*module, error) {
	r := &rewriter{g: graph.New(), memo: map[graph.Value]graph.Value{}, seen: map[string]*graph.Node{}}
	needed, assigned := live(m.g, m.roots()), map[string]bool{}
	uses := m.uses(needed)
	for _, a := range m.assigns {
		assigned[a.name] = true
	}
	for _, st := range m.g.States() { // they keep their order; those that nobody reads or assigns are gone
		if needed[st.Leaf.Node.ID] || assigned[st.Name] {
			r.memo[st.Leaf] = r.g.State(st.Kind, st.Name, st.Spec, st.Init)
		}
	}
	for id, n := range m.g.Nodes() {
		if needed[id] {
			r.only = len(n.In) > 0 && uses[n.In[0].Node.ID] == 1
			r.node(n, f)
		}
	}
	if err := r.g.Err(); err != nil {
		return nil, err
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

func (r *rewriter) node(n *graph.Node, f replace) {
	switch o := n.Op.(type) {
	case graph.Read:
		return // declared before the first node
	case graph.Input:
		r.memo[n.Value(0)] = r.g.Input(o.Label, o.Spec)
		return
	}
	defer r.g.Enter(n.Path)()
	in := make([]graph.Value, len(n.In))
	for i, v := range n.In {
		in[i] = r.memo[v]
	}
	out := f(r, n, in)
	if out == nil {
		out = r.apply(n.Op, in...)
	}
	for i := range n.Out {
		r.memo[n.Value(i)] = out[i]
	}
}

// apply adds a node, or finds the equal one that is there.
func (r *rewriter) apply(o graph.Op, in ...graph.Value) []graph.Value {
	key := nodeKey(o, in)
	n := r.seen[key]
	if n == nil {
		vs := r.g.Apply(o, in...)
		if r.g.Err() == nil {
			r.seen[key] = vs[0].Node
		}
		return vs
	}
	vs := make([]graph.Value, len(n.Out))
	for i := range vs {
		vs[i] = n.Value(i)
	}
	return vs
}

// one is apply for an op with a single output.
func (r *rewriter) one(o graph.Op, in ...graph.Value) graph.Value { return r.apply(o, in...)[0] }

// known returns the value equal to v that was there before it, else v: for what functions of package op have built.
func (r *rewriter) known(v graph.Value) graph.Value {
	if r.g.Err() != nil || v.Node.ID < 0 {
		return v
	}
	key := nodeKey(v.Node.Op, v.Node.In)
	if n := r.seen[key]; n != nil {
		return n.Value(v.Index)
	}
	r.seen[key] = v.Node
	return v
}

// fill is a constant of one number.
func (r *rewriter) fill(s graph.Spec, x float64) graph.Value {
	return r.one(graph.Constant{Spec: s, Data: []float64{x}})
}

// nodeKey is equal for nodes that compute the same.
func nodeKey(o graph.Op, in []graph.Value) string {
	key := make([]byte, 0, 64)
	key = append(key, opKey(o)...)
	for _, v := range in {
		key = append(key, '|')
		key = strconv.AppendInt(key, int64(v.Node.ID), 10)
		key = append(key, '.')
		key = strconv.AppendInt(key, int64(v.Index), 10)
	}
	return string(key)
}

// opKey tells ops with different attributes apart.
func opKey(o graph.Op) string {
	if k, ok := o.(interface{ Key() string }); ok {
		return o.Name() + ":" + k.Key()
	}
	return fmt.Sprintf("%s:%T%+v", o.Name(), o, o)
}
