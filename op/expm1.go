package op

import (
	"math"

	"aetrain/graph"
)

func init() { add(expm1{}) }

// Expm1 returns e^x - 1, elementwise, exact near 0 too.
func Expm1(x graph.Value) graph.Value { return apply(expm1{}, x) }

type expm1 struct{ pointwise }

func (expm1) Name() string { return "Expm1" }

// d/dx = e^x = y + 1
func (expm1) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return one(Mul(dOut[0], AddConst(n.Value(0), 1)))
}

func (expm1) Eval(out, in []graph.Tensor) { map1(out, in, math.Expm1) }

func (expm1) Examples() []graph.Example { return points(expm1{}, 1, -3, 3) }
