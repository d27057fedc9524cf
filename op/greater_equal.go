package op

import "aetrain/graph"

func init() { add(greaterEqual{}) }

// GreaterEqual returns 1 where a is at least b and 0 elsewhere (also where one of them is NaN), with broadcasting. No gradient flows.
func GreaterEqual(a, b graph.Value) graph.Value { return apply(greaterEqual{}, broadcast(a, b)...) }

type greaterEqual struct{ pointwise }

func (greaterEqual) Name() string { return "GreaterEqual" }

func (greaterEqual) VJP(*graph.Node, []graph.Value) []graph.Value { return none(2) }

func (greaterEqual) Eval(out, in []graph.Tensor) {
	map2(out, in, func(a, b float64) float64 { return truth(a >= b) })
}

func (greaterEqual) Examples() []graph.Example { return comparisons(greaterEqual{}) }
