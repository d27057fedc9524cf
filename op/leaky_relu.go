package op

import (
	"errors"
	"math"

	"aetrain/graph"
)

func init() { add(LeakyReLUOp{Slope: 0.01}) }

// LeakyReLU returns x where x is positive and slope·x elsewhere, elementwise. Its gradient at 0 is slope, as PyTorch's.
// slope must not be negative.
// Source: Maas, Hannun & Ng 2013, "Rectifier Nonlinearities Improve Neural Network Acoustic Models", section 2.
func LeakyReLU(x graph.Value, slope float64) graph.Value { return apply(LeakyReLUOp{Slope: slope}, x) }

// LeakyReLUOp is the op of [LeakyReLU]; Slope is that of its negative side.
type LeakyReLUOp struct {
	pointwise
	Slope float64
}

func (LeakyReLUOp) Name() string { return "LeakyReLU" }

// Infer wants a float32 value and a slope that keeps the result's sign that of x.
func (o LeakyReLUOp) Infer(in []graph.Spec) ([]graph.Spec, error) {
	if !(o.Slope >= 0) || math.IsInf(o.Slope, 0) {
		return nil, errors.New("the slope must be a number of 0 or more")
	}
	return o.pointwise.Infer(in)
}

// The result is positive where x is.
func (o LeakyReLUOp) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return one(apply(LeakyReLUGradOp{Slope: o.Slope}, n.Value(0), dOut[0]))
}

func (o LeakyReLUOp) Eval(out, in []graph.Tensor) {
	map1(out, in, func(x float64) float64 {
		if x > 0 {
			return x
		}
		return o.Slope * x
	})
}

func (LeakyReLUOp) Examples() []graph.Example {
	return kinked(append(points(LeakyReLUOp{Slope: 0.2}, 1, -2, 2), example(LeakyReLUOp{}, 1, -2, 2, 3, 5)))
}
