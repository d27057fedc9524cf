package graph

import "fmt"

// VJP returns, for each value of wrt, the vector-Jacobian product of y with seed: the sum over y of dy/dwrt times seed.
// A value that y does not depend on gets the zero Value. Nothing is kept on nodes, so any number of losses may share values,
// and the result is made of ops again: VJP of a VJP is a second derivative. A zero Value among y or seed counts for nothing.
func VJP(y, seed, wrt []Value) []Value {
	var g *Graph
	for i, v := range y {
		if v.Valid() && seed[i].Valid() {
			g = v.Graph()
			if g.err == nil && !v.Spec().Equal(seed[i].Spec()) {
				g.Fail(fmt.Errorf("VJP: the seed of a value of %v is %v", v.Spec(), seed[i].Spec()))
			}
		}
	}
	if g == nil || g.err != nil {
		return make([]Value, len(wrt))
	}
	b := &backward{g: g, active: dependants(g, y, wrt), grads: map[Value][]Value{}}
	last := -1
	for i, v := range y {
		if v.Node == nil || !seed[i].Valid() {
			continue
		}
		b.grads[v] = append(b.grads[v], seed[i])
		last = max(last, v.Node.ID)
	}
	for id := last; id >= 0 && g.err == nil; id-- {
		if b.active[id] {
			b.node(g.nodes[id])
		}
	}
	out := make([]Value, len(wrt))
	for i, v := range wrt {
		out[i] = b.sum(v)
	}
	return out
}

// Grad returns the gradient of a scalar loss with respect to each of wrt; the zero Value for one that it does not depend on.
func Grad(loss Value, wrt ...Value) []Value {
	g := loss.Graph()
	if g == nil || g.err != nil {
		return make([]Value, len(wrt))
	}
	if loss.Shape().Size() != 1 || loss.Spec().DType != Float32 {
		g.Fail(fmt.Errorf("a gradient wants a scalar loss, this one is %v", loss.Spec()))
	}
	return VJP([]Value{loss}, []Value{g.Constant(loss.Spec(), 1)}, wrt)
}

type backward struct {
	g      *Graph
	active []bool // by node: lies between wrt and y
	grads  map[Value][]Value
}

// dependants marks the nodes that depend on wrt and that y depends on.
func dependants(g *Graph, y, wrt []Value) []bool {
	n := len(g.nodes)
	needed, active := make([]bool, n), make([]bool, n)
	for _, v := range y {
		if v.Node != nil {
			needed[v.Node.ID] = true
		}
	}
	for id := n - 1; id >= 0; id-- {
		if needed[id] {
			for _, in := range g.nodes[id].In {
				needed[in.Node.ID] = true
			}
		}
	}
	source := map[Value]bool{}
	for _, v := range wrt {
		source[v] = true
	}
	for id := 0; id < n; id++ {
		node := g.nodes[id]
		for _, in := range node.In {
			if source[in] || active[in.Node.ID] {
				active[id] = needed[id]
				break
			}
		}
	}
	return active
}

// sum returns the gradient that has flowed to v and keeps it as one value.
func (b *backward) sum(v Value) Value {
	parts := b.grads[v]
	if len(parts) > 1 {
		parts = []Value{SumOf(parts...)}
		b.grads[v] = parts
	}
	if len(parts) == 0 {
		return Value{}
	}
	return parts[0]
}

// node takes the gradients of n's outputs to its inputs.
func (b *backward) node(n *Node) {
	dOut, any := make([]Value, len(n.Out)), false
	old := b.g.path
	b.g.path = n.Path
	defer func() { b.g.path = old }()
	for i := range dOut {
		if dOut[i] = b.sum(n.Value(i)); dOut[i].Valid() {
			any = true
		}
	}
	if !any {
		return
	}
	for i := range dOut {
		if !dOut[i].Valid() && n.Out[i].DType == Float32 {
			dOut[i] = b.g.Constant(n.Out[i], 0)
		}
	}
	for i, d := range n.Op.VJP(n, dOut) {
		if d.Valid() && n.In[i].Spec().DType == Float32 {
			b.grads[n.In[i]] = append(b.grads[n.In[i]], d)
		}
	}
}
