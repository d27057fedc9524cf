package op

import (
	"math"

	"aetrain/graph"
)

func init() { add(rsqrt{}) }

// Rsqrt returns 1/√x, elementwise: infinite at 0, NaN below.
func Rsqrt(x graph.Value) graph.Value { return apply(rsqrt{}, x) }

type rsqrt struct{ pointwise }

func (rsqrt) Name() string { return "Rsqrt" }

// d/dx x^(-1/2) = -y³/2
func (rsqrt) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return one(Mul(dOut[0], Scale(Mul(n.Value(0), Square(n.Value(0))), -0.5)))
}

func (rsqrt) Eval(out, in []graph.Tensor) {
	map1(out, in, func(x float64) float64 { return 1 / math.Sqrt(x) })
}

func (rsqrt) Examples() []graph.Example { return points(rsqrt{}, 1, 0.25, 4) }
