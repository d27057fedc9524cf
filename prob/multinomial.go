package prob

import (
	"aetrain/graph"
	"aetrain/op"
)

// Multinomial shares out an example's total among its elements, with probabilities softmax(Logits) over all of them.
type Multinomial struct{ Logits graph.Value } // N×...

// log are the log-probabilities.
func (m Multinomial) log() graph.Value {
	return op.Reshape(op.LogSoftmax(op.Flatten(m.Logits)), m.Logits.Shape()...)
}

// Mean are the probabilities: the expected shares of a total of 1.
func (m Multinomial) Mean() graph.Value { return op.Exp(m.log()) }

// Sample draws one element: 1 there, 0 elsewhere; no gradient flows through it.
func (m Multinomial) Sample(r op.RNG, name string) graph.Value {
	flat := op.Stop(op.Flatten(m.Logits))
	at := op.ArgMax(op.Add(flat, gumbel(r, name, flat.Shape())))
	return op.Reshape(op.OneHot(at, flat.Dim(1)), m.Logits.Shape()...)
}

// LogProb is x·log p of each element, without the number of orders that the draws may have come in, which no parameter changes.
func (m Multinomial) LogProb(x graph.Value) graph.Value { return op.Mul(x, m.log()) }

// Repeat gives each example k copies. The shares are then those of each copy.
func (m Multinomial) Repeat(k int) Distribution {
	return repeatedMultinomial{Multinomial{Logits: op.Flatten(m.Logits)}, m.Logits.Shape(), k}
}

// repeatedMultinomial is k copies of each example.
type repeatedMultinomial struct {
	Multinomial
	shape graph.Shape
	k     int
}

func (m repeatedMultinomial) log() graph.Value {
	dims := append(graph.Shape{m.shape[0], m.k}, m.shape[1:]...)
	return op.Reshape(repeat(op.LogSoftmax(m.Logits), m.k), dims...)
}

// Mean are the probabilities.
func (m repeatedMultinomial) Mean() graph.Value { return op.Exp(m.log()) }

// LogProb is x·log p.
func (m repeatedMultinomial) LogProb(x graph.Value) graph.Value { return op.Mul(x, m.log()) }
