package op

import (
	"math"

	"aetrain/graph"
)

func init() { add(abs{}) }

// Abs returns |x|, elementwise. Its gradient is sign(x), 0 at 0.
func Abs(x graph.Value) graph.Value { return apply(abs{}, x) }

type abs struct{ pointwise }

func (abs) Name() string { return "Abs" }

func (abs) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return one(Mul(dOut[0], Sign(n.In[0])))
}

func (abs) Eval(out, in []graph.Tensor) { map1(out, in, math.Abs) }

func (abs) Examples() []graph.Example { return kinked(points(abs{}, 1, -2, 2)) }
