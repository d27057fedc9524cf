package model

import (
	"math"

	"aetrain/graph"
	"aetrain/op"
)

func init() { Bounds.Add("iwae", func() Bound { return iwae{} }) }

// iwae is the importance-weighted bound, negated: the mean over examples of -log (1/k) Σ exp(log w), log w being minus the sum
// of an example's terms in one sample. With one sample it is the ELBO (its divergence estimated by the sample).
// Source: Burda, Grosse & Salakhutdinov 2016, "Importance Weighted Autoencoders", eq. 8.
type iwae struct{}

func (iwae) ImportanceWeighted() bool { return true }

func (iwae) Reduce(f *Forward, terms []graph.Value) graph.Value {
	return importance(terms, 1)
}

// importance is the importance-weighted bound over groups of samples, their mean. Terms of N or scalar shape are the same for all
// samples: in or out of the logarithm is one.
func importance(terms []graph.Value, groups int) graph.Value {
	var perSample, others []graph.Value
	for _, t := range terms {
		if t.Rank() == 2 {
			perSample = append(perSample, t)
		} else {
			others = append(others, op.MeanAll(t))
		}
	}
	if len(perSample) > 0 {
		weights := op.Neg(graph.SumOf(perSample...))
		grouped := op.Reshape(weights, weights.Dim(0)*groups, weights.Dim(1)/groups)
		others = append(others, op.Neg(op.MeanAll(LogMeanExp(grouped))))
	}
	return graph.SumOf(others...)
}

// LogMeanExp is log (1/k) Σ exp(logWeights) over the last axis of N×k log-weights: N.
func LogMeanExp(logWeights graph.Value) graph.Value {
	return op.AddConst(op.LogSumExp(logWeights, 1), -math.Log(float64(logWeights.Dim(1))))
}
