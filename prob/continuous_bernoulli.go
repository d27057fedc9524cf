package prob

import (
	"math"

	"aetrain/graph"
	"aetrain/op"
)

// ContinuousBernoulli is a distribution of numbers in [0, 1] with density C·exp(x·Logits), C = l/(exp(l)-1): the Bernoulli
// likelihood that autoencoders put on grey levels, with the constant that makes it a density.
// Source: Loaiza-Ganem & Cunningham 2019, "The continuous Bernoulli: fixing a pervasive error in variational autoencoders", eq. 6-9.
type ContinuousBernoulli struct{ Logits graph.Value }

// around returns 1 where logits are so near 0 that formulas in them are taken from their series, and logits that avoid 0.
func (b ContinuousBernoulli) around() (near, safe graph.Value) {
	const close = 0.3
	g := b.Logits.Graph()
	near = op.Less(op.Abs(b.Logits), g.Scalar(close))
	return near, op.Select(near, g.Constant(b.Logits.Spec(), 1), b.Logits)
}

// Mean is 1/(1-exp(-l)) - 1/l.
func (b ContinuousBernoulli) Mean() graph.Value {
	near, l := b.around()
	far := op.Sub(op.Neg(op.Reciprocal(op.Expm1(op.Neg(l)))), op.Reciprocal(l))
	cube := op.Mul(op.Square(b.Logits), b.Logits)
	series := op.AddConst(op.Add(op.Scale(b.Logits, 1.0/12), op.Scale(cube, -1.0/720)), 0.5)
	return op.Select(near, series, far)
}

// logConstant is log(l / tanh(l/2)), what the density has beside the Bernoulli's cross-entropy.
func (b ContinuousBernoulli) logConstant() graph.Value {
	near, l := b.around()
	l = op.Abs(l)
	far := op.Sub(op.Log(l), op.Log(op.Tanh(op.Scale(l, 0.5))))
	square := op.Square(b.Logits)
	series := op.AddConst(op.Add(op.Scale(square, 1.0/12), op.Scale(op.Square(square), -7.0/1440)), math.Ln2)
	return op.Select(near, series, far)
}

// Sample inverts the distribution function: log(1 + u·(exp(l)-1)) / l.
func (b ContinuousBernoulli) Sample(r op.RNG, name string) graph.Value {
	near, l := b.around()
	u := op.Uniform(r, name, b.Logits.Shape()...)
	down := op.Neg(op.Abs(l))
	y := op.Div(op.Log1p(op.Mul(u, op.Expm1(down))), down)
	up := op.Greater(l, b.Logits.Graph().Scalar(0))
	return op.Select(near, u, op.Select(up, op.AddConst(op.Neg(y), 1), y))
}

// LogProb is x·log λ + (1-x)·log(1-λ) + log C.
func (b ContinuousBernoulli) LogProb(x graph.Value) graph.Value {
	return op.Sub(b.logConstant(), op.BCEWithLogits(b.Logits, x))
}

// Repeat gives each example k copies.
func (b ContinuousBernoulli) Repeat(k int) Distribution {
	return ContinuousBernoulli{Logits: repeat(b.Logits, k)}
}
