package model

import (
	"math"

	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
	"aetrain/prob"
)

func init() {
	Reconstructions.Add("mse", func() Reconstruction { return &MSE{ReconstructionOptions: newReconstructionOptions()} })
}

// MSE is the plain sum of squared errors (with reduction = "mean" their mean). Its minimum is that of a gaussian likelihood with
// variance 1/2, of which it leaves the constants out.
type MSE struct{ ReconstructionOptions }

// Channels is 1: the mean.
func (*MSE) Channels() int { return 1 }

// Link is linear; a decoder may end with an activation of its own.
func (*MSE) Link() string { return "linear" }

// Distribution is a normal one with variance 1/2.
func (*MSE) Distribution(s *nn.Scope, raw graph.Value, _ int) prob.Distribution {
	return prob.Normal{Mu: raw, LogVar: s.Graph().Scalar(-math.Ln2)}
}

// Loss is (x - recon)².
func (*MSE) Loss(recon prob.Distribution, x graph.Value) graph.Value {
	return op.SquaredError(recon.Mean(), x)
}

// IsDensity is false.
func (*MSE) IsDensity() bool { return false }

// Range is unbounded.
func (*MSE) Range() (low, high float64, bounded bool) { return 0, 0, false }
