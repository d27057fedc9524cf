package op

import "aetrain/graph"

func init() { add(square{}) }

// Square returns x², elementwise.
func Square(x graph.Value) graph.Value { return apply(square{}, x) }

type square struct{ pointwise }

func (square) Name() string { return "Square" }

func (square) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return one(Mul(dOut[0], Scale(n.In[0], 2)))
}

func (square) Eval(out, in []graph.Tensor) {
	map1(out, in, func(x float64) float64 { return x * x })
}

func (square) Examples() []graph.Example { return points(square{}, 1, -2, 2) }
