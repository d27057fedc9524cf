package op

import "aetrain/graph"

func init() { add(siluGrad{}) }

// siluGrad is the gradient of [SiLU]: dy·s·(1 + x·(1-s)), s = sigmoid(x).
type siluGrad struct{ pointwise }

func (siluGrad) Name() string        { return "SiLUGrad" }
func (siluGrad) Arguments() []string { return []string{"x", "dy"} }

// d/dx s(1 + x(1-s)) = s(1-s)·(2 + x(1-2s)), because s' = s(1-s).
func (siluGrad) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	x, dy := n.In[0], n.In[1]
	s := Sigmoid(x)
	slope := AddConst(Mul(x, AddConst(Scale(s, -2), 1)), 2)
	return []graph.Value{
		Mul(apply(sigmoidGrad{}, s, dOut[0]), Mul(dy, slope)),
		apply(siluGrad{}, x, dOut[0]),
	}
}

func (siluGrad) Eval(out, in []graph.Tensor) {
	map2(out, in, func(x, dy float64) float64 {
		s := logistic(x)
		return dy * s * (1 + x*(1-s))
	})
}

func (siluGrad) Examples() []graph.Example { return points(siluGrad{}, 2, -3, 3) }
