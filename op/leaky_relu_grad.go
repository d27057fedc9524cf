package op

import "aetrain/graph"

func init() { add(LeakyReLUGradOp{Slope: 0.01}) }

// LeakyReLUGradOp is the gradient of [LeakyReLU]: of inputs y (its result) and dy it makes dy where y is positive and
// Slope·dy elsewhere.
type LeakyReLUGradOp struct {
	pointwise
	Slope float64
}

func (LeakyReLUGradOp) Name() string        { return "LeakyReLUGrad" }
func (LeakyReLUGradOp) Arguments() []string { return []string{"y", "dy"} }

// Linear in dy; y only switches.
func (o LeakyReLUGradOp) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return []graph.Value{{}, apply(o, n.In[0], dOut[0])}
}

func (o LeakyReLUGradOp) Eval(out, in []graph.Tensor) {
	map2(out, in, func(y, dy float64) float64 {
		if y > 0 {
			return dy
		}
		return o.Slope * dy
	})
}

func (LeakyReLUGradOp) Examples() []graph.Example {
	return kinked(points(LeakyReLUGradOp{Slope: 0.2}, 2, -2, 2))
}
