package op

import "aetrain/graph"

func init() { add(tanhGrad{}) }

// tanhGrad is the gradient of [Tanh]: dy·(1-y²) with the hyperbolic tangent y.
type tanhGrad struct{ pointwise }

func (tanhGrad) Name() string        { return "TanhGrad" }
func (tanhGrad) Arguments() []string { return []string{"y", "dy"} }

// d/dy (1-y²) = -2y
func (tanhGrad) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	y, dy := n.In[0], n.In[1]
	return []graph.Value{
		Mul(Mul(dOut[0], dy), Scale(y, -2)),
		apply(tanhGrad{}, y, dOut[0]),
	}
}

func (tanhGrad) Eval(out, in []graph.Tensor) {
	map2(out, in, func(y, dy float64) float64 { return dy * (1 - y*y) })
}

func (tanhGrad) Examples() []graph.Example { return points(tanhGrad{}, 2, -0.99, 0.99) }
