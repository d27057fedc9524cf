package op

import (
	"math"

	"aetrain/graph"
)

func init() { add(softmax{}) }

// Softmax returns exp(x) divided by its sum along the last axis, without overflow: each row is positive and sums to 1.
func Softmax(x graph.Value) graph.Value { return apply(softmax{}, x) }

type softmax struct{}

func (softmax) Name() string { return "Softmax" }

func (softmax) Infer(in []graph.Spec) ([]graph.Spec, error) { return wantRows(in[0]) }

// dx = y·(dy - Σ dy·y), the sum along the last axis.
func (softmax) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	y := n.Value(0)
	return one(Mul(y, Sub(dOut[0], sumLast(Mul(dOut[0], y)))))
}

func (softmax) Eval(out, in []graph.Tensor) {
	eachRow(out[0], in[0], func(y, x []float64) {
		total := logSumExp(x)
		for i := range x {
			y[i] = math.Exp(x[i] - total)
		}
	})
}

func (softmax) Examples() []graph.Example { return rowExamples(softmax{}) }
