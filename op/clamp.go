package op

import (
	"fmt"

	"aetrain/graph"
)

func init() { add(ClampOp{Lo: 0, Hi: 1}) }

// Clamp returns x limited to [lo, hi], elementwise; NaN stays NaN. Its gradient is 1 from lo to hi, both included
// (as PyTorch's), and 0 outside. lo may be -Inf and hi +Inf.
func Clamp(x graph.Value, lo, hi float64) graph.Value { return apply(ClampOp{Lo: lo, Hi: hi}, x) }

// ClampOp is the op of [Clamp]; its result lies in [Lo, Hi].
type ClampOp struct {
	pointwise
	Lo, Hi float64
}

func (ClampOp) Name() string { return "Clamp" }

// Infer wants a float32 value and limits in order.
func (o ClampOp) Infer(in []graph.Spec) ([]graph.Spec, error) {
	if !(o.Lo <= o.Hi) {
		return nil, fmt.Errorf("the limits %g and %g are not in order", o.Lo, o.Hi)
	}
	return o.pointwise.Infer(in)
}

func (o ClampOp) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	x, zero := n.In[0], filled(n.In[0], 0)
	d := Select(LessEqual(x, filled(x, o.Hi)), dOut[0], zero)
	return one(Select(GreaterEqual(x, filled(x, o.Lo)), d, zero))
}

func (o ClampOp) Eval(out, in []graph.Tensor) {
	map1(out, in, func(x float64) float64 {
		switch {
		case x < o.Lo:
			return o.Lo
		case x > o.Hi:
			return o.Hi
		}
		return x
	})
}

func (ClampOp) Examples() []graph.Example {
	return kinked(points(ClampOp{Lo: -0.8, Hi: 1.1}, 1, -2, 2))
}
