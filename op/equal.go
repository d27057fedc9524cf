package op

import "aetrain/graph"

func init() { add(equal{}) }

// Equal returns 1 where a equals b and 0 elsewhere (also where one of them is NaN), with broadcasting. No gradient flows.
func Equal(a, b graph.Value) graph.Value { return apply(equal{}, broadcast(a, b)...) }

type equal struct{ pointwise }

func (equal) Name() string { return "Equal" }

func (equal) VJP(*graph.Node, []graph.Value) []graph.Value { return none(2) }

func (equal) Eval(out, in []graph.Tensor) {
	map2(out, in, func(a, b float64) float64 { return truth(a == b) })
}

func (equal) Examples() []graph.Example { return comparisons(equal{}) }
