package op

import "aetrain/graph"

func init() { add(minimum{}) }

// Minimum returns the smaller of a and b, elementwise, with broadcasting; NaN where one of them is NaN.
// Where they are equal each gets half of the gradient, as in PyTorch.
func Minimum(a, b graph.Value) graph.Value { return apply(minimum{}, broadcast(a, b)...) }

type minimum struct{ pointwise }

func (minimum) Name() string { return "Minimum" }

func (minimum) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	a, b, d := n.In[0], n.In[1], dOut[0]
	zero := filled(d, 0)
	tied := Select(Equal(a, b), Scale(d, 0.5), zero)
	return []graph.Value{
		Select(Less(a, b), d, tied),
		Select(Less(b, a), d, tied),
	}
}

func (minimum) Eval(out, in []graph.Tensor) {
	map2(out, in, smaller)
}

func (minimum) Examples() []graph.Example { return kinked(points(minimum{}, 2, -2, 2)) }
