package prob

import (
	"aetrain/graph"
	"aetrain/op"
)

// Tokens is one token of a vocabulary at each place of a sequence: its values are the tokens' numbers, N×T, its Logits N×T×vocabulary.
type Tokens struct{ Logits graph.Value }

// Mean is the likeliest token of each place: a mean of numbers would be another word.
func (d Tokens) Mean() graph.Value {
	return op.Cast(op.ArgMax(op.Stop(d.Logits)), graph.Float32)
}

// Sample takes the largest of logits with Gumbel noise; no gradient flows through it.
func (d Tokens) Sample(r op.RNG, name string) graph.Value {
	return op.Cast(op.ArgMax(op.Add(op.Stop(d.Logits), gumbel(r, name, d.Logits.Shape()))), graph.Float32)
}

// LogProb is log softmax(logits) of each token.
func (d Tokens) LogProb(x graph.Value) graph.Value {
	chosen := op.OneHot(op.Cast(x, graph.Int32), d.Logits.Dim(-1))
	return op.ReduceSum(op.Mul(op.LogSoftmax(d.Logits), chosen), d.Logits.Rank()-1)
}

// Repeat gives each example k copies.
func (d Tokens) Repeat(k int) Distribution { return Tokens{Logits: repeat(d.Logits, k)} }
