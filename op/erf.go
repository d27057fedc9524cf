package op

import (
	"math"

	"aetrain/graph"
)

func init() { add(erf{}) }

// Erf returns the error function 2/√π ∫₀ˣ exp(-t²) dt, elementwise.
func Erf(x graph.Value) graph.Value { return apply(erf{}, x) }

type erf struct{ pointwise }

func (erf) Name() string { return "Erf" }

// d/dx erf x = 2/√π exp(-x²)
func (erf) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return one(Mul(dOut[0], Scale(Exp(Neg(Square(n.In[0]))), 2/math.Sqrt(math.Pi))))
}

func (erf) Eval(out, in []graph.Tensor) { map1(out, in, math.Erf) }

func (erf) Examples() []graph.Example { return points(erf{}, 1, -3, 3) }
