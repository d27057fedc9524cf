package op

import "aetrain/graph"

func init() { add(neg{}) }

// Neg returns -x, elementwise.
func Neg(x graph.Value) graph.Value { return apply(neg{}, x) }

type neg struct{ pointwise }

func (neg) Name() string { return "Neg" }

func (neg) VJP(_ *graph.Node, dOut []graph.Value) []graph.Value {
	return one(Neg(dOut[0]))
}

func (neg) Eval(out, in []graph.Tensor) {
	map1(out, in, func(x float64) float64 { return -x })
}

func (neg) Examples() []graph.Example { return points(neg{}, 1, -2, 2) }
