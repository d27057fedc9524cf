package op

import (
	"math"

	"aetrain/graph"
)

func init() { add(bceWithLogits{}) }

// BCEWithLogits returns the binary cross entropy of each element in nats, for a target t in [0, 1] and the probability
// p = sigmoid(l) that logits l stand for, without overflow; with broadcasting:
//
//	-t·log p - (1-t)·log(1-p) = max(l, 0) - l·t + log(1 + exp(-|l|))
func BCEWithLogits(logits, target graph.Value) graph.Value {
	return apply(bceWithLogits{}, broadcast(logits, target)...)
}

type bceWithLogits struct{ pointwise }

func (bceWithLogits) Name() string        { return "BCEWithLogits" }
func (bceWithLogits) Arguments() []string { return []string{"logits", "target"} }

// d/dl = sigmoid(l) - t,  d/dt = -l
func (bceWithLogits) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	logits, target := n.In[0], n.In[1]
	return []graph.Value{
		Mul(dOut[0], Sub(Sigmoid(logits), target)),
		Neg(Mul(dOut[0], logits)),
	}
}

func (bceWithLogits) Eval(out, in []graph.Tensor) {
	map2(out, in, func(l, t float64) float64 {
		return math.Max(l, 0) - l*t + math.Log1p(math.Exp(-math.Abs(l)))
	})
}

func (bceWithLogits) Examples() []graph.Example {
	es := points(bceWithLogits{}, 2, -4, 4)
	for _, e := range es {
		e.Args[1].From, e.Args[1].To = 0, 1
	}
	return es
}
