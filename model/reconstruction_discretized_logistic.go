package model

import (
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
	"aetrain/prob"
)

func init() {
	Reconstructions.Add("discretized-logistic", func() Reconstruction {
		return &LogisticLikelihood{ReconstructionOptions: newReconstructionOptions(), Levels: 256, Scale: "learned"}
	})
}

// LogisticLikelihood is the probability of a grey level under a logistic distribution cut into as many bins as there are levels.
// The scale is one learned for the set (decoder.log_scale) or the decoder's, in the second half of its channels.
// Source: Kingma et al. 2016, "Improved Variational Inference with Inverse Autoregressive Flow", appendix C.
type LogisticLikelihood struct {
	ReconstructionOptions
	density
	Levels int    `toml:"levels" min:"2" max:"65536" doc:"levels between 0 and 1, both included; 256 are those of stored images"`
	Scale  string `toml:"scale" choices:"learned|per-feature" doc:"learned: one for the set; per-feature: the decoder gives one for each feature of each example"`
}

// Channels is 1, or 2 where the decoder gives scales.
func (r *LogisticLikelihood) Channels() int {
	if r.Scale == "per-feature" {
		return 2
	}
	return 1
}

// firstLogScale is where scales start: about a tenth of the range.
const firstLogScale = -2

// Distribution is a discretised logistic one.
func (r *LogisticLikelihood) Distribution(s *nn.Scope, raw graph.Value, channels int) prob.Distribution {
	const least, most = -8, 3
	if r.Scale != "per-feature" {
		scale := op.Clamp(s.Param("log_scale", nn.Constant(firstLogScale)), least, most)
		return prob.DiscretizedLogistic{Mu: raw, LogScale: scale, Levels: r.Levels}
	}
	mu, scale := halves(raw, channels)
	scale = op.Clamp(op.AddConst(scale, firstLogScale), least, most)
	return prob.DiscretizedLogistic{Mu: mu, LogScale: scale, Levels: r.Levels}
}

// Range is [0, 1].
func (*LogisticLikelihood) Range() (low, high float64, bounded bool) { return 0, 1, true }
