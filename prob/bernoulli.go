package prob

import (
	"aetrain/graph"
	"aetrain/op"
)

// Bernoulli is 1 with probability sigmoid(Logits), else 0. Values between 0 and 1, such as grey levels, are taken as
// probabilities: LogProb is then the (negative) cross-entropy, as the field has it.
type Bernoulli struct{ Logits graph.Value }

// Mean is sigmoid(Logits).
func (b Bernoulli) Mean() graph.Value { return op.Sigmoid(b.Logits) }

// Sample draws 0 or 1; no gradient flows through it.
func (b Bernoulli) Sample(r op.RNG, name string) graph.Value {
	return op.Less(op.Uniform(r, name, b.Logits.Shape()...), op.Stop(b.Mean()))
}

// LogProb is x·log p + (1-x)·log(1-p), computed from logits without overflow.
func (b Bernoulli) LogProb(x graph.Value) graph.Value {
	return op.Neg(op.BCEWithLogits(b.Logits, x))
}

// Repeat gives each example k copies.
func (b Bernoulli) Repeat(k int) Distribution { return Bernoulli{Logits: repeat(b.Logits, k)} }
