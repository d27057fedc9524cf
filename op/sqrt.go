package op

import (
	"math"

	"aetrain/graph"
)

func init() { add(sqrt{}) }

// Sqrt returns √x, elementwise; NaN below 0. Its gradient at 0 is infinite.
func Sqrt(x graph.Value) graph.Value { return apply(sqrt{}, x) }

type sqrt struct{ pointwise }

func (sqrt) Name() string { return "Sqrt" }

// d/dx √x = 1 / (2√x), and the root is there already.
func (sqrt) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return one(Div(Scale(dOut[0], 0.5), n.Value(0)))
}

func (sqrt) Eval(out, in []graph.Tensor) { map1(out, in, math.Sqrt) }

func (sqrt) Examples() []graph.Example { return points(sqrt{}, 1, 0.25, 4) }
