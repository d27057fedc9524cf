package op

import (
	"math"

	"aetrain/graph"
)

func init() { add(ReduceMaxOp{Axes: []int{0}}) }

// ReduceMax returns the largest element of x over axes, which disappear; NaN where one of them is NaN. No axes at all leave x as
// it is, negative ones count from the end. Elements that tie for the largest share the gradient evenly, as PyTorch's amax.
func ReduceMax(x graph.Value, axes ...int) graph.Value {
	if len(axes) == 0 {
		return x
	}
	return apply(ReduceMaxOp{Axes: sortAxes(x.Rank(), axes)}, x)
}

// ReduceMaxOp is the op of [ReduceMax]; Axes ascend.
type ReduceMaxOp struct{ Axes []int }

func (ReduceMaxOp) Name() string { return "ReduceMax" }

func (o ReduceMaxOp) Infer(in []graph.Spec) ([]graph.Spec, error) {
	return reduceToExtreme(in[0], o.Axes)
}

func (o ReduceMaxOp) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return one(toExtremes(n, dOut[0], o.Axes))
}

func (o ReduceMaxOp) Eval(out, in []graph.Tensor) {
	for i := range out[0].Data {
		out[0].Data[i] = math.Inf(-1)
	}
	reduce(out[0], in[0], o.Axes, larger)
}

func (ReduceMaxOp) Examples() []graph.Example {
	return extremes(func(axes []int) graph.Op { return ReduceMaxOp{Axes: axes} })
}
