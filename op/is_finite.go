package op

import (
	"math"

	"aetrain/graph"
)

func init() { add(isFinite{}) }

// IsFinite returns 1 where x is a number and 0 where it is NaN or infinite, elementwise. No gradient flows.
func IsFinite(x graph.Value) graph.Value { return apply(isFinite{}, x) }

type isFinite struct{ pointwise }

func (isFinite) Name() string { return "IsFinite" }

func (isFinite) VJP(*graph.Node, []graph.Value) []graph.Value { return none(1) }

func (isFinite) Eval(out, in []graph.Tensor) {
	map1(out, in, func(x float64) float64 { return truth(!math.IsNaN(x) && !math.IsInf(x, 0)) })
}

func (isFinite) Examples() []graph.Example {
	special := graph.Example{Op: isFinite{}, Chosen: true, Args: []graph.Arg{
		{Spec: graph.F32(6), Values: []float64{0, -1, math.NaN(), math.Inf(1), math.Inf(-1), 1e38}},
	}}
	return append(points(isFinite{}, 1, -2, 2), special)
}
