package op

import "aetrain/graph"

func init() { add(reciprocal{}) }

// Reciprocal returns 1/x, elementwise.
func Reciprocal(x graph.Value) graph.Value { return apply(reciprocal{}, x) }

type reciprocal struct{ pointwise }

func (reciprocal) Name() string { return "Reciprocal" }

// d/dx 1/x = -y²
func (reciprocal) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return one(Mul(dOut[0], Neg(Square(n.Value(0)))))
}

func (reciprocal) Eval(out, in []graph.Tensor) {
	map1(out, in, func(x float64) float64 { return 1 / x })
}

func (reciprocal) Examples() []graph.Example { return points(reciprocal{}, 1, 0.5, 3) }
