package op

import "aetrain/graph"

func init() { add(less{}) }

// Less returns 1 where a is below b and 0 elsewhere (also where one of them is NaN), with broadcasting. No gradient flows.
func Less(a, b graph.Value) graph.Value { return apply(less{}, broadcast(a, b)...) }

type less struct{ pointwise }

func (less) Name() string { return "Less" }

func (less) VJP(*graph.Node, []graph.Value) []graph.Value { return none(2) }

func (less) Eval(out, in []graph.Tensor) {
	map2(out, in, func(a, b float64) float64 { return truth(a < b) })
}

func (less) Examples() []graph.Example { return comparisons(less{}) }
