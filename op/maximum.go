package op

import "aetrain/graph"

func init() { add(maximum{}) }

// Maximum returns the larger of a and b, elementwise, with broadcasting; NaN where one of them is NaN.
// Where they are equal each gets half of the gradient, as in PyTorch.
func Maximum(a, b graph.Value) graph.Value { return apply(maximum{}, broadcast(a, b)...) }

type maximum struct{ pointwise }

func (maximum) Name() string { return "Maximum" }

func (maximum) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	a, b, d := n.In[0], n.In[1], dOut[0]
	zero := filled(d, 0)
	tied := Select(Equal(a, b), Scale(d, 0.5), zero)
	return []graph.Value{
		Select(Greater(a, b), d, tied),
		Select(Greater(b, a), d, tied),
	}
}

func (maximum) Eval(out, in []graph.Tensor) {
	map2(out, in, larger)
}

func (maximum) Examples() []graph.Example { return kinked(points(maximum{}, 2, -2, 2)) }
