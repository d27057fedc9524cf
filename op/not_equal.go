package op

import "aetrain/graph"

func init() { add(notEqual{}) }

// NotEqual returns 1 where a and b differ (also where one of them is NaN) and 0 elsewhere, with broadcasting. No gradient flows.
func NotEqual(a, b graph.Value) graph.Value { return apply(notEqual{}, broadcast(a, b)...) }

type notEqual struct{ pointwise }

func (notEqual) Name() string { return "NotEqual" }

func (notEqual) VJP(*graph.Node, []graph.Value) []graph.Value { return none(2) }

func (notEqual) Eval(out, in []graph.Tensor) {
	map2(out, in, func(a, b float64) float64 { return truth(a != b) })
}

func (notEqual) Examples() []graph.Example { return comparisons(notEqual{}) }
