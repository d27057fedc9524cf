package op

import (
	"math"

	"aetrain/graph"
)

func init() { add(geluGrad{}) }

// geluGrad is the gradient of [GELU]: dy·(Φ(x) + x·φ(x)), φ the normal density.
type geluGrad struct{ pointwise }

func (geluGrad) Name() string        { return "GELUGrad" }
func (geluGrad) Arguments() []string { return []string{"x", "dy"} }

// d/dx (Φ + xφ) = 2φ - x²φ, because φ' = -xφ.
func (geluGrad) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	x, dy := n.In[0], n.In[1]
	square := Square(x)
	density := Scale(Exp(Scale(square, -0.5)), 1/math.Sqrt(2*math.Pi))
	return []graph.Value{
		Mul(Mul(dOut[0], dy), Mul(density, AddConst(Neg(square), 2))),
		apply(geluGrad{}, x, dOut[0]),
	}
}

func (geluGrad) Eval(out, in []graph.Tensor) {
	map2(out, in, func(x, dy float64) float64 { return dy * (phiCDF(x) + x*phiPDF(x)) })
}

func (geluGrad) Examples() []graph.Example { return points(geluGrad{}, 2, -3, 3) }
