package model

import (
	"math"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/nn"
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
	density
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

// Distribution is a Laplace one.
func (r *LaplaceLikelihood) Distribution(s *nn.Scope, raw graph.Value, _ int) prob.Distribution {
	if r.Scale.Word == "learned" {
		return prob.Laplace{Mu: raw, LogScale: s.Param("log_scale", nil)}
	}
	return prob.Laplace{Mu: raw, LogScale: s.Graph().Scalar(math.Log(r.Scale.Number()))}
}
