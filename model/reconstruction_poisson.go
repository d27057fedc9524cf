package model

import (
	"math"

	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
	"aetrain/prob"
)

func init() {
	Reconstructions.Add("poisson", func() Reconstruction { return &PoissonLikelihood{ReconstructionOptions: newReconstructionOptions()} })
}

// PoissonLikelihood is for counts: the decoder gives the logarithm of their rate.
type PoissonLikelihood struct {
	ReconstructionOptions
	density
}

// mostLogRate bounds logarithms of rates, so that one wild example cannot make a loss infinite.
const mostLogRate = 20

// Channels is 1: the logarithm of the rate.
func (*PoissonLikelihood) Channels() int { return 1 }

// Distribution is a Poisson one.
func (*PoissonLikelihood) Distribution(_ *nn.Scope, raw graph.Value, _ int) prob.Distribution {
	return prob.Poisson{LogRate: op.Clamp(raw, -mostLogRate, mostLogRate)}
}

// Range is from 0 on.
func (*PoissonLikelihood) Range() (low, high float64, bounded bool) { return 0, math.Inf(1), true }
