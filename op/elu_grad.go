package op

import "aetrain/graph"

func init() { add(ELUGradOp{Alpha: 1}) }

// ELUGradOp is the gradient of [ELU]: of inputs y (its result) and dy it makes dy where y is positive and dy·(y + Alpha)
// elsewhere.
type ELUGradOp struct {
	pointwise
	Alpha float64
}

func (ELUGradOp) Name() string        { return "ELUGrad" }
func (ELUGradOp) Arguments() []string { return []string{"y", "dy"} }

func (o ELUGradOp) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	y, dy := n.In[0], n.In[1]
	zero := filled(y, 0)
	return []graph.Value{
		Select(Greater(y, zero), zero, Mul(dOut[0], dy)),
		apply(o, y, dOut[0]),
	}
}

func (o ELUGradOp) Eval(out, in []graph.Tensor) {
	map2(out, in, func(y, dy float64) float64 {
		if y > 0 {
			return dy
		}
		return dy * (y + o.Alpha)
	})
}

func (ELUGradOp) Examples() []graph.Example {
	return append(kinked(points(ELUGradOp{Alpha: 0.7}, 2, -0.6, 2)),
		example(ELUGradOp{Alpha: 1}, 2, -0.9, -0.1, 3, 5), example(ELUGradOp{Alpha: 1}, 2, 0.1, 2, 3, 5))
}
