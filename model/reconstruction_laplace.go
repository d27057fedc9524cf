package model

import (
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
	return checkOneNumber("scale", r.Scale, `or "learned"`)
}

// Channels is 1: the median.
func (*LaplaceLikelihood) Channels() int { return 1 }

// Distribution is a Laplace one.
func (r *LaplaceLikelihood) Distribution(s *nn.Scope, raw graph.Value, _ int) prob.Distribution {
	return prob.Laplace{Mu: raw, LogScale: logOf(s, "log_scale", r.Scale)}
}
