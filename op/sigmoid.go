package op

import "aetrain/graph"

func init() { add(sigmoid{}) }

// Sigmoid returns 1 / (1 + e^-x), elementwise, without overflow.
func Sigmoid(x graph.Value) graph.Value { return apply(sigmoid{}, x) }

type sigmoid struct{ pointwise }

func (sigmoid) Name() string { return "Sigmoid" }

func (sigmoid) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return one(apply(sigmoidGrad{}, n.Value(0), dOut[0]))
}

func (sigmoid) Eval(out, in []graph.Tensor) {
	map1(out, in, func(x float64) float64 { return logistic(x) })
}

func (sigmoid) Examples() []graph.Example { return points(sigmoid{}, 1, -4, 4) }
