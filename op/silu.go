package op

import "aetrain/graph"

func init() { add(silu{}) }

// SiLU returns x·sigmoid(x), elementwise; also called swish.
// Source: Elfwing, Uchibe & Doya 2017, "Sigmoid-Weighted Linear Units for Neural Network Function Approximation in
// Reinforcement Learning", eq. 10.
func SiLU(x graph.Value) graph.Value { return apply(silu{}, x) }

type silu struct{ pointwise }

func (silu) Name() string { return "SiLU" }

func (silu) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return one(apply(siluGrad{}, n.In[0], dOut[0]))
}

func (silu) Eval(out, in []graph.Tensor) {
	map1(out, in, func(x float64) float64 { return x * logistic(x) })
}

func (silu) Examples() []graph.Example { return points(silu{}, 1, -4, 4) }
