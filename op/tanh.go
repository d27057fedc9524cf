package op

import (
	"math"

	"aetrain/graph"
)

func init() { add(tanh{}) }

// Tanh returns the hyperbolic tangent of x, elementwise.
func Tanh(x graph.Value) graph.Value { return apply(tanh{}, x) }

type tanh struct{ pointwise }

func (tanh) Name() string { return "Tanh" }

func (tanh) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return one(apply(tanhGrad{}, n.Value(0), dOut[0]))
}

func (tanh) Eval(out, in []graph.Tensor) { map1(out, in, math.Tanh) }

func (tanh) Examples() []graph.Example { return points(tanh{}, 1, -3, 3) }
