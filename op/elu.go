package op

import (
	"errors"
	"math"

	"aetrain/graph"
)

func init() { add(ELUOp{Alpha: 1}) }

// ELU returns x where x is positive and alpha·(e^x - 1) elsewhere, elementwise; alpha must not be negative.
// Source: Clevert, Unterthiner & Hochreiter 2016, "Fast and Accurate Deep Network Learning by Exponential Linear Units", eq. 15.
func ELU(x graph.Value, alpha float64) graph.Value { return apply(ELUOp{Alpha: alpha}, x) }

// ELUOp is the op of [ELU]; -Alpha is what it tends to far below 0.
type ELUOp struct {
	pointwise
	Alpha float64
}

func (ELUOp) Name() string { return "ELU" }

// Infer wants a float32 value and an alpha that keeps the result's sign that of x.
func (o ELUOp) Infer(in []graph.Spec) ([]graph.Spec, error) {
	if !(o.Alpha >= 0) || math.IsInf(o.Alpha, 0) {
		return nil, errors.New("alpha must be a number of 0 or more")
	}
	return o.pointwise.Infer(in)
}

// The gradient needs the result alone: below 0 it is alpha·e^x = y + alpha.
func (o ELUOp) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return one(apply(ELUGradOp{Alpha: o.Alpha}, n.Value(0), dOut[0]))
}

func (o ELUOp) Eval(out, in []graph.Tensor) {
	map1(out, in, func(x float64) float64 {
		if x > 0 {
			return x
		}
		return o.Alpha * math.Expm1(x)
	})
}

func (ELUOp) Examples() []graph.Example {
	return append(kinked(points(ELUOp{Alpha: 0.7}, 1, -3, 3)),
		example(ELUOp{Alpha: 1}, 1, -3, -0.1, 3, 5), example(ELUOp{Alpha: 1}, 1, 0.1, 3, 3, 5))
}
