package op

import (
	"math"

	"aetrain/graph"
)

func init() { add(sin{}) }

// Sin returns the sine of x radians, elementwise.
func Sin(x graph.Value) graph.Value { return apply(sin{}, x) }

type sin struct{ pointwise }

func (sin) Name() string { return "Sin" }

func (sin) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return one(Mul(dOut[0], Cos(n.In[0])))
}

func (sin) Eval(out, in []graph.Tensor) { map1(out, in, math.Sin) }

func (sin) Examples() []graph.Example { return points(sin{}, 1, -4, 4) }
