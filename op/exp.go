package op

import (
	"math"

	"aetrain/graph"
)

func init() { add(exp{}) }

// Exp returns e^x, elementwise.
func Exp(x graph.Value) graph.Value { return apply(exp{}, x) }

type exp struct{ pointwise }

func (exp) Name() string { return "Exp" }

// d/dx e^x = e^x, which is there already.
func (exp) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return one(Mul(dOut[0], n.Value(0)))
}

func (exp) Eval(out, in []graph.Tensor) { map1(out, in, math.Exp) }

func (exp) Examples() []graph.Example { return points(exp{}, 1, -3, 3) }
