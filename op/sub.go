package op

import "aetrain/graph"

func init() { add(minus{}) }

// Sub returns a - b, elementwise, with broadcasting.
func Sub(a, b graph.Value) graph.Value { return apply(minus{}, broadcast(a, b)...) }

type minus struct{ pointwise }

func (minus) Name() string { return "Sub" }

func (minus) VJP(_ *graph.Node, dOut []graph.Value) []graph.Value {
	return []graph.Value{dOut[0], Neg(dOut[0])}
}

func (minus) Eval(out, in []graph.Tensor) {
	map2(out, in, func(a, b float64) float64 { return a - b })
}

func (minus) Examples() []graph.Example { return points(minus{}, 2, -2, 2) }
