package op

import "aetrain/graph"

func init() { add(times{}) }

// Mul returns a · b, elementwise, with broadcasting.
func Mul(a, b graph.Value) graph.Value { return apply(times{}, broadcast(a, b)...) }

type times struct{ pointwise }

func (times) Name() string { return "Mul" }

func (times) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return []graph.Value{Mul(dOut[0], n.In[1]), Mul(dOut[0], n.In[0])}
}

func (times) Eval(out, in []graph.Tensor) {
	map2(out, in, func(a, b float64) float64 { return a * b })
}

func (times) Examples() []graph.Example { return points(times{}, 2, -2, 2) }
