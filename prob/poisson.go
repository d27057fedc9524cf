package prob

import (
	"aetrain/graph"
	"aetrain/op"
)

// Poisson counts what happens at rate exp(LogRate). Values between whole numbers are taken as they are.
type Poisson struct{ LogRate graph.Value }

// Mean is the rate.
func (p Poisson) Mean() graph.Value { return op.Exp(p.LogRate) }

// Sample draws from the normal distribution of the same mean and variance, rounded and cut at 0; no gradient flows through it.
// It is close for rates above a few; counts below that come out somewhat too even.
func (p Poisson) Sample(r op.RNG, name string) graph.Value {
	return countLike(r, name, p.Mean(), p.Mean())
}

// countLike draws whole numbers of this mean and variance.
func countLike(r op.RNG, name string, mean, variance graph.Value) graph.Value {
	eps := op.Normal(r, name, mean.Shape()...)
	return op.Stop(op.ReLU(op.Round(op.Add(mean, op.Mul(op.Sqrt(variance), eps)))))
}

// LogProb is x·log λ - λ - log x!.
func (p Poisson) LogProb(x graph.Value) graph.Value {
	return op.Sub(op.Sub(op.Mul(x, p.LogRate), op.Exp(p.LogRate)), LogGamma(op.AddConst(x, 1)))
}

// Repeat gives each example k copies.
func (p Poisson) Repeat(k int) Distribution { return Poisson{LogRate: repeat(p.LogRate, k)} }
