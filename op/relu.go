package op

import "aetrain/graph"

func init() { add(relu{}) }

// ReLU returns max(x, 0), elementwise; NaN stays NaN. Its gradient is 0 at 0, as PyTorch's.
func ReLU(x graph.Value) graph.Value { return apply(relu{}, x) }

type relu struct{ pointwise }

func (relu) Name() string { return "ReLU" }

func (relu) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return one(apply(reluGrad{}, n.Value(0), dOut[0]))
}

func (relu) Eval(out, in []graph.Tensor) {
	map1(out, in, func(x float64) float64 {
		if x <= 0 {
			return 0
		}
		return x
	})
}

func (relu) Examples() []graph.Example { return kinked(points(relu{}, 1, -2, 2)) }
