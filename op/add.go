package op

import "aetrain/graph"

func init() { add(plus{}) }

// Add returns a + b, elementwise, with broadcasting.
func Add(a, b graph.Value) graph.Value { return apply(plus{}, broadcast(a, b)...) }

type plus struct{ pointwise }

func (plus) Name() string { return "Add" }

func (plus) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return []graph.Value{dOut[0], dOut[0]}
}

func (plus) Eval(out, in []graph.Tensor) {
	map2(out, in, func(a, b float64) float64 { return a + b })
}

func (plus) Examples() []graph.Example { return points(plus{}, 2, -2, 2) }
