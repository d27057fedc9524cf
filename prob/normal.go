package prob

import (
	"math"

	"aetrain/graph"
	"aetrain/op"
)

// Normal is N(Mu, exp(LogVar)) of each element: a diagonal gaussian. LogVar has Mu's shape, or broadcasts to it.
type Normal struct{ Mu, LogVar graph.Value }

// log2Pi is log 2π, the constant of a normal density.
var log2Pi = math.Log(2 * math.Pi)

// Mean is Mu.
func (n Normal) Mean() graph.Value { return n.Mu }

// Sample is Mu + exp(LogVar/2)·eps with standard normal eps, so that gradients reach both parameters.
// Source: Kingma & Welling 2014, "Auto-Encoding Variational Bayes", section 2.4.
func (n Normal) Sample(r op.RNG, name string) graph.Value {
	return op.GaussianSample(r, name, n.Mu, op.BroadcastTo(n.LogVar, n.Mu.Shape()...))
}

// LogProb is -(log 2π + LogVar + (x-Mu)²·exp(-LogVar)) / 2.
func (n Normal) LogProb(x graph.Value) graph.Value {
	scaled := op.Mul(op.SquaredError(x, n.Mu), op.Exp(op.Neg(n.LogVar)))
	return op.Scale(op.AddConst(op.Add(scaled, n.LogVar), log2Pi), -0.5)
}

// Repeat gives each example k copies.
func (n Normal) Repeat(k int) Distribution {
	return Normal{Mu: repeat(n.Mu, k), LogVar: repeat(n.LogVar, k)}
}

// klStandard is (exp(LogVar) + Mu² - 1 - LogVar) / 2 of each element.
func (n Normal) klStandard() graph.Value {
	return op.Scale(op.AddConst(op.Sub(op.Add(op.Exp(n.LogVar), op.Square(n.Mu)), n.LogVar), -1), 0.5)
}

// kl is (exp(LogVar-p.LogVar) + (Mu-p.Mu)²·exp(-p.LogVar) - 1 - LogVar + p.LogVar) / 2 of each element.
func (n Normal) kl(p Normal) graph.Value {
	ratio := op.Sub(n.LogVar, p.LogVar)
	distance := op.Mul(op.SquaredError(n.Mu, p.Mu), op.Exp(op.Neg(p.LogVar)))
	return op.Scale(op.AddConst(op.Add(op.Sub(op.Exp(ratio), ratio), distance), -1), 0.5)
}
