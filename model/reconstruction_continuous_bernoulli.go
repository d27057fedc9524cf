package model

import (
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/prob"
)

func init() {
	Reconstructions.Add("continuous-bernoulli", func() Reconstruction {
		return &ContinuousBernoulli{ReconstructionOptions: newReconstructionOptions()}
	})
}

// ContinuousBernoulli is bce with the constant that makes it a density of grey levels in [0, 1]; outputs are its mean.
// Source: Loaiza-Ganem & Cunningham 2019, "The continuous Bernoulli: fixing a pervasive error in variational autoencoders".
type ContinuousBernoulli struct {
	ReconstructionOptions
	density
}

// Channels is 1: the logit.
func (*ContinuousBernoulli) Channels() int { return 1 }

// Link is sigmoid.
func (*ContinuousBernoulli) Link() string { return "sigmoid" }

// Distribution is a continuous Bernoulli one.
func (*ContinuousBernoulli) Distribution(_ *nn.Scope, raw graph.Value, _ int) prob.Distribution {
	return prob.ContinuousBernoulli{Logits: raw}
}

// Range is [0, 1].
func (*ContinuousBernoulli) Range() (low, high float64, bounded bool) { return 0, 1, true }
