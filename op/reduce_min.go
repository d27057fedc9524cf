package op

import (
	"math"

	"aetrain/graph"
)

func init() { add(ReduceMinOp{Axes: []int{0}}) }

// ReduceMin returns the smallest element of x over axes, which disappear; NaN where one of them is NaN. No axes at all leave x as
// it is, negative ones count from the end. Elements that tie for the smallest share the gradient evenly, as PyTorch's amin.
func ReduceMin(x graph.Value, axes ...int) graph.Value {
	if len(axes) == 0 {
		return x
	}
	return apply(ReduceMinOp{Axes: sortAxes(x.Rank(), axes)}, x)
}

// ReduceMinOp is the op of [ReduceMin]; Axes ascend.
type ReduceMinOp struct{ Axes []int }

func (ReduceMinOp) Name() string { return "ReduceMin" }

func (o ReduceMinOp) Infer(in []graph.Spec) ([]graph.Spec, error) {
	return reduceToExtreme(in[0], o.Axes)
}

func (o ReduceMinOp) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return one(toExtremes(n, dOut[0], o.Axes))
}

func (o ReduceMinOp) Eval(out, in []graph.Tensor) {
	for i := range out[0].Data {
		out[0].Data[i] = math.Inf(1)
	}
	reduce(out[0], in[0], o.Axes, smaller)
}

func (ReduceMinOp) Examples() []graph.Example {
	return extremes(func(axes []int) graph.Op { return ReduceMinOp{Axes: axes} })
}
