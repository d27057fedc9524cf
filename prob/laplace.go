package prob

import (
	"math"

	"aetrain/graph"
	"aetrain/op"
)

// Laplace is the double-exponential distribution exp(-|x-Mu|/b) / 2b of each element, with scale b = exp(LogScale).
// LogScale has Mu's shape, or broadcasts to it.
type Laplace struct{ Mu, LogScale graph.Value }

// Mean is Mu.
func (l Laplace) Mean() graph.Value { return l.Mu }

// Sample inverts the distribution function: Mu - b·sign(v)·log(1-2|v|), v uniform in [-1/2, 1/2).
func (l Laplace) Sample(r op.RNG, name string) graph.Value {
	v := op.AddConst(op.Uniform(r, name, l.Mu.Shape()...), -0.5)
	const least = 0x1p-24 // v = -1/2 is possible, log 0 is not wanted
	tail := op.Log(op.Clamp(op.AddConst(op.Scale(op.Abs(v), -2), 1), least, 1))
	return op.Sub(l.Mu, op.Mul(op.Exp(l.LogScale), op.Mul(op.Sign(v), tail)))
}

// LogProb is -|x-Mu|/b - log 2b.
func (l Laplace) LogProb(x graph.Value) graph.Value {
	scaled := op.Mul(op.Abs(op.Sub(x, l.Mu)), op.Exp(op.Neg(l.LogScale)))
	return op.Neg(op.AddConst(op.Add(scaled, l.LogScale), math.Ln2))
}

// Repeat gives each example k copies.
func (l Laplace) Repeat(k int) Distribution {
	return Laplace{Mu: repeat(l.Mu, k), LogScale: repeat(l.LogScale, k)}
}
