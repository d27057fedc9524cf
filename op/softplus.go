package op

import (
	"math"

	"aetrain/graph"
)

func init() { add(softplus{}) }

// Softplus returns log(1 + e^x), elementwise, without overflow.
func Softplus(x graph.Value) graph.Value { return apply(softplus{}, x) }

type softplus struct{ pointwise }

func (softplus) Name() string { return "Softplus" }

func (softplus) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return one(Mul(dOut[0], Sigmoid(n.In[0])))
}

func (softplus) Eval(out, in []graph.Tensor) {
	map1(out, in, func(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) })
}

func (softplus) Examples() []graph.Example { return points(softplus{}, 1, -4, 4) }
