package op

import "aetrain/graph"

func init() { add(lessEqual{}) }

// LessEqual returns 1 where a is at most b and 0 elsewhere (also where one of them is NaN), with broadcasting. No gradient flows.
func LessEqual(a, b graph.Value) graph.Value { return apply(lessEqual{}, broadcast(a, b)...) }

type lessEqual struct{ pointwise }

func (lessEqual) Name() string { return "LessEqual" }

func (lessEqual) VJP(*graph.Node, []graph.Value) []graph.Value { return none(2) }

func (lessEqual) Eval(out, in []graph.Tensor) {
	map2(out, in, func(a, b float64) float64 { return truth(a <= b) })
}

func (lessEqual) Examples() []graph.Example { return comparisons(lessEqual{}) }
