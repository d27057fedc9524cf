package model

import (
	"aetrain/graph"
	"aetrain/op"
)

func init() { Bounds.Add("elbo", func() Bound { return elbo{} }) }

// elbo is the evidence lower bound, negated: each term's mean over samples and examples, added up. It is also the plain loss
// of models without a posterior.
// Source: Kingma & Welling 2014, "Auto-Encoding Variational Bayes", eq. 3.
type elbo struct{}

func (elbo) ImportanceWeighted() bool { return false }

func (elbo) Reduce(f *Forward, terms []graph.Value) graph.Value {
	var sum []graph.Value
	for _, t := range terms {
		sum = append(sum, op.MeanAll(t))
	}
	if len(sum) == 0 {
		return f.X.Graph().Scalar(0)
	}
	return graph.SumOf(sum...)
}
