package model

import (
	"math"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
	"aetrain/prob"
)

func init() {
	Reconstructions.Add("laplace", func() Reconstruction {
		return &LaplaceLikelihood{ReconstructionOptions: newReconstructionOptions(), Scale: configs.NumbersOrWord{Numbers: []float64{1}}}
	})
}

// LaplaceLikelihood is the whole negative log-density of a Laplace distribution around the output: robust against outliers. Its
// scale is a number, or one learned for the whole set (decoder.log_scale).
type LaplaceLikelihood struct {
	ReconstructionOptions
	Scale configs.NumbersOrWord `toml:"scale" over:"0" choices:"learned" doc:"a number; \"learned\": one for the set"`
}

// Validate wants a single number.
func (r *LaplaceLikelihood) Validate() error {
	if len(r.Scale.Numbers) > 1 {
		return configs.KeyError("scale", "%d numbers; want one, or \"learned\"", len(r.Scale.Numbers))
	}
	return nil
}

// Channels is 1: the median.
func (*LaplaceLikelihood) Channels() int { return 1 }

// Link is linear.
func (*LaplaceLikelihood) Link() string { return "linear" }

// Distribution is a Laplace one.
func (r *LaplaceLikelihood) Distribution(s *nn.Scope, raw graph.Value, _ int) prob.Distribution {
	if r.Scale.Word == "learned" {
		return prob.Laplace{Mu: raw, LogScale: s.Param("log_scale", nil)}
	}
	return prob.Laplace{Mu: raw, LogScale: s.Graph().Scalar(math.Log(r.Scale.Number()))}
}

// Loss is -log Laplace(x; recon, scale).
func (*LaplaceLikelihood) Loss(recon prob.Distribution, x graph.Value) graph.Value {
	return op.Neg(recon.LogProb(x))
}

// IsDensity is true.
func (*LaplaceLikelihood) IsDensity() bool { return true }

// Range is unbounded.
func (*LaplaceLikelihood) Range() (low, high float64, bounded bool) { return 0, 0, false }
