package op

import "aetrain/graph"

func init() { add(greater{}) }

// Greater returns 1 where a is above b and 0 elsewhere (also where one of them is NaN), with broadcasting. No gradient flows.
func Greater(a, b graph.Value) graph.Value { return apply(greater{}, broadcast(a, b)...) }

type greater struct{ pointwise }

func (greater) Name() string { return "Greater" }

func (greater) VJP(*graph.Node, []graph.Value) []graph.Value { return none(2) }

func (greater) Eval(out, in []graph.Tensor) {
	map2(out, in, func(a, b float64) float64 { return truth(a > b) })
}

func (greater) Examples() []graph.Example { return comparisons(greater{}) }
