package op

import "aetrain/graph"

func init() { add(sigmoidGrad{}) }

// sigmoidGrad is the gradient of [Sigmoid]: dy·y·(1-y) with the sigmoid's result y.
type sigmoidGrad struct{ pointwise }

func (sigmoidGrad) Name() string        { return "SigmoidGrad" }
func (sigmoidGrad) Arguments() []string { return []string{"y", "dy"} }

// d/dy y(1-y) = 1 - 2y
func (sigmoidGrad) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	y, dy := n.In[0], n.In[1]
	return []graph.Value{
		Mul(Mul(dOut[0], dy), AddConst(Scale(y, -2), 1)),
		apply(sigmoidGrad{}, y, dOut[0]),
	}
}

func (sigmoidGrad) Eval(out, in []graph.Tensor) {
	map2(out, in, func(y, dy float64) float64 { return dy * y * (1 - y) })
}

func (sigmoidGrad) Examples() []graph.Example { return points(sigmoidGrad{}, 2, 0.01, 0.99) }
