package op

import "aetrain/graph"

func init() { add(over{}) }

// Div returns a / b, elementwise, with broadcasting.
func Div(a, b graph.Value) graph.Value { return apply(over{}, broadcast(a, b)...) }

type over struct{ pointwise }

func (over) Name() string { return "Div" }

// d/db a/b = -(a/b)/b
func (over) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	da := Div(dOut[0], n.In[1])
	return []graph.Value{da, Neg(Mul(da, n.Value(0)))}
}

func (over) Eval(out, in []graph.Tensor) {
	map2(out, in, func(a, b float64) float64 { return a / b })
}

func (over) Examples() []graph.Example { return points(over{}, 2, 0.5, 2) }
