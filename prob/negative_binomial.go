package prob

import (
	"aetrain/graph"
	"aetrain/op"
)

// NegativeBinomial counts with mean exp(LogMean) and variance mean + mean²/exp(LogDispersion). With Zero, logits of the
// probability that a count is 0 whatever the mean, it is the zero-inflated one. LogDispersion broadcasts to LogMean's shape.
// Source: Lopez et al. 2018, "Deep generative modeling for single-cell transcriptomics", supplementary note 3.
type NegativeBinomial struct {
	LogMean, LogDispersion graph.Value
	Zero                   graph.Value // the zero Value: not inflated
}

// Mean is exp(LogMean), times the probability that the count is not 0 anyway.
func (d NegativeBinomial) Mean() graph.Value {
	mean := op.Exp(d.LogMean)
	if d.Zero.Valid() {
		mean = op.Mul(mean, op.Sigmoid(op.Neg(d.Zero)))
	}
	return mean
}

// Sample draws from the normal distribution of the same mean and variance, rounded and cut at 0, as [Poisson] does, and sets
// zeros; no gradient flows through it.
func (d NegativeBinomial) Sample(r op.RNG, name string) graph.Value {
	mean := op.Exp(d.LogMean)
	variance := op.Add(mean, op.Mul(op.Square(mean), op.Exp(op.Neg(d.LogDispersion))))
	count := countLike(r, name, mean, variance)
	if d.Zero.Valid() {
		stays := op.GreaterEqual(op.Uniform(r, name+".zero", mean.Shape()...), op.Stop(op.Sigmoid(d.Zero)))
		count = op.Mul(count, stays)
	}
	return count
}

// LogProb is log Γ(x+θ) - log Γ(θ) - log x! + θ·log(θ/(θ+μ)) + x·log(μ/(θ+μ)), with θ = exp(LogDispersion), μ = exp(LogMean).
func (d NegativeBinomial) LogProb(x graph.Value) graph.Value {
	theta := op.Exp(d.LogDispersion)
	total := op.Softplus(op.Sub(d.LogMean, d.LogDispersion)) // log (θ+μ)/θ
	none := op.Neg(op.Mul(theta, total))                     // log p(0)
	shape := op.Sub(op.Sub(LogGamma(op.Add(x, theta)), LogGamma(theta)), LogGamma(op.AddConst(x, 1)))
	log := op.Add(op.Add(shape, none), op.Mul(x, op.Sub(op.Sub(d.LogMean, d.LogDispersion), total)))
	if !d.Zero.Valid() {
		return log
	}
	zero := op.Sub(op.Softplus(op.Sub(none, d.Zero)), op.Softplus(op.Neg(d.Zero))) // log(π + (1-π)·p(0)), π = sigmoid(Zero)
	other := op.Sub(log, op.Softplus(d.Zero))
	return op.Select(op.Less(x, x.Graph().Scalar(0.5)), zero, other)
}

// Repeat gives each example k copies.
func (d NegativeBinomial) Repeat(k int) Distribution {
	out := NegativeBinomial{LogMean: repeat(d.LogMean, k), LogDispersion: d.LogDispersion}
	if d.Zero.Valid() {
		out.Zero = repeat(d.Zero, k)
	}
	return out
}
