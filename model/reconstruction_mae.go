package model

import (
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
	"aetrain/prob"
)

func init() {
	Reconstructions.Add("mae", func() Reconstruction { return &MAE{ReconstructionOptions: newReconstructionOptions()} })
}

// MAE is the plain sum of absolute errors (with reduction = "mean" their mean): a Laplace likelihood of scale 1 without its constant.
type MAE struct{ ReconstructionOptions }

// Channels is 1: the median.
func (*MAE) Channels() int { return 1 }

// Link is linear; a decoder may end with an activation of its own.
func (*MAE) Link() string { return "linear" }

// Distribution is a Laplace one with scale 1.
func (*MAE) Distribution(s *nn.Scope, raw graph.Value, _ int) prob.Distribution {
	return prob.Laplace{Mu: raw, LogScale: s.Graph().Scalar(0)}
}

// Loss is |x - recon|.
func (*MAE) Loss(recon prob.Distribution, x graph.Value) graph.Value {
	return op.Abs(op.Sub(recon.Mean(), x))
}

// IsDensity is false.
func (*MAE) IsDensity() bool { return false }

// Range is unbounded.
func (*MAE) Range() (low, high float64, bounded bool) { return 0, 0, false }
