package op

import (
	"math"

	"aetrain/graph"
)

func init() { add(cos{}) }

// Cos returns the cosine of x radians, elementwise.
func Cos(x graph.Value) graph.Value { return apply(cos{}, x) }

type cos struct{ pointwise }

func (cos) Name() string { return "Cos" }

func (cos) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return one(Mul(dOut[0], Neg(Sin(n.In[0]))))
}

func (cos) Eval(out, in []graph.Tensor) { map1(out, in, math.Cos) }

func (cos) Examples() []graph.Example { return points(cos{}, 1, -4, 4) }
