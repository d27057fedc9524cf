package op

import "aetrain/graph"

func init() { add(graph.Identity{}) }

// expandVJP is the VJP of an op that has Expand: that of its expansion. Composite ops use it where they have no gradient op
// of their own, and the gradient ops of composite ops use it for second order.
func expandVJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return expansionVJP(n, n.Op, n.In, dOut)
}

// expandGrad is the Expand of a gradient op n that computes all gradients of the composite op of, applied to in, from dOut
// (one value an output of the forward op): expand that op, and differentiate. Where no gradient flows it is zero.
func expandGrad(n *graph.Node, of graph.Op, in, dOut []graph.Value) []graph.Value {
	d := expansionVJP(n, of, in, dOut)
	for i, v := range d {
		if !v.Valid() {
			d[i] = filled(in[i], 0)
		}
	}
	return d
}

// expansionVJP builds the expansion of o over in and its VJP with dOut; n is the node at whose place that happens.
// Each input is a value of its own there: were one computed from another, or two of them the same, the gradient
// of one would contain what belongs to the other.
func expansionVJP(n *graph.Node, o graph.Op, in, dOut []graph.Value) []graph.Value {
	e, ok := o.(graph.Expander)
	if !ok {
		panic("op: " + o.Name() + " has no Expand to differentiate")
	}
	at := *n
	at.Op, at.In = o, make([]graph.Value, len(in))
	for i, v := range in {
		at.In[i] = apply(graph.Identity{}, v)
	}
	return graph.VJP(e.Expand(&at), dOut, at.In)
}
