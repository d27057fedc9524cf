package model

import (
	"math"

	"aetrain/graph"
	"aetrain/nn"
	"aetrain/prob"
)

func init() {
	Reconstructions.Add("multinomial", func() Reconstruction {
		return &MultinomialLikelihood{ReconstructionOptions: newReconstructionOptions()}
	})
}

// MultinomialLikelihood shares out what a user has clicked among all items: -Σ x·log softmax(raw), over all features of an example.
// Outputs are the probabilities. It leaves out the number of orders of the clicks, so it is no whole density.
// Source: Liang et al. 2018, "Variational Autoencoders for Collaborative Filtering", eq. 2.
type MultinomialLikelihood struct {
	ReconstructionOptions
	density
}

// Channels is 1: the logit.
func (*MultinomialLikelihood) Channels() int { return 1 }

// IsDensity is false.
func (*MultinomialLikelihood) IsDensity() bool { return false }

// Distribution is a multinomial one.
func (*MultinomialLikelihood) Distribution(_ *nn.Scope, raw graph.Value, _ int) prob.Distribution {
	return prob.Multinomial{Logits: raw}
}

// Range is from 0 on.
func (*MultinomialLikelihood) Range() (low, high float64, bounded bool) {
	return 0, math.Inf(1), true
}

// GivesShares reports whether reconstructions are probabilities that share out what the input counts, on a scale of their own.
func (c *Config) GivesShares() bool {
	_, shares := c.Reconstruction.(*MultinomialLikelihood)
	return shares
}
