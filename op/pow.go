package op

import (
	"math"

	"aetrain/graph"
)

func init() { add(pow{}) }

// Pow returns a^b, elementwise, with broadcasting; NaN for a negative base with a fractional exponent.
// The gradient with respect to a is 0 where b is 0, and the one with respect to b is 0 where a is not positive.
// For constant exponents [Square], [Sqrt], [Rsqrt] and [Reciprocal] are faster.
func Pow(a, b graph.Value) graph.Value { return apply(pow{}, broadcast(a, b)...) }

type pow struct{ pointwise }

func (pow) Name() string { return "Pow" }

// d/da = b·a^(b-1),  d/db = a^b·log a
func (pow) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	a, b, y := n.In[0], n.In[1], n.Value(0)
	zero, positive := filled(a, 0), Greater(a, filled(a, 0))
	da := Mul(b, Pow(a, AddConst(b, -1)))
	db := Mul(y, Log(Select(positive, a, filled(a, 1)))) // the logarithm of what is not selected is harmless
	return []graph.Value{
		Mul(dOut[0], Select(NotEqual(b, zero), da, zero)),
		Mul(dOut[0], Select(positive, db, zero)),
	}
}

func (pow) Eval(out, in []graph.Tensor) {
	map2(out, in, math.Pow)
}

func (pow) Examples() []graph.Example { return points(pow{}, 2, 0.3, 2.5) }
