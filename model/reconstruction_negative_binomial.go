package model

import (
	"math"

	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
	"aetrain/prob"
)

func init() {
	Reconstructions.Add("negative-binomial", func() Reconstruction {
		return &NegativeBinomialLikelihood{ReconstructionOptions: newReconstructionOptions()}
	})
}

// NegativeBinomialLikelihood is for counts that vary more than a Poisson's: the decoder gives the logarithm of the mean, and, zero
// inflated, logits of a probability of zero; each feature has a dispersion of its own, learned for the set (decoder.log_dispersion).
// Source: Lopez et al. 2018, "Deep generative modeling for single-cell transcriptomics".
type NegativeBinomialLikelihood struct {
	ReconstructionOptions
	density
	Inflated bool `toml:"zero_inflated" doc:"counts are 0 with a further probability, which the decoder gives"`
}

// Channels is 1, or 2 where the decoder gives probabilities of zero.
func (r *NegativeBinomialLikelihood) Channels() int {
	if r.Inflated {
		return 2
	}
	return 1
}

// Distribution is a negative binomial one; the probabilities of zero are in the second half of the channels.
func (r *NegativeBinomialLikelihood) Distribution(s *nn.Scope, raw graph.Value, channels int) prob.Distribution {
	d := prob.NegativeBinomial{LogMean: raw}
	if r.Inflated {
		d.LogMean, d.Zero = halves(raw, channels)
	}
	d.LogMean = op.Clamp(d.LogMean, -mostLogRate, mostLogRate)
	d.LogDispersion = op.Clamp(s.Param("log_dispersion", nil, d.LogMean.Shape()[1:]...), leastLogVar, mostLogVar)
	return d
}

// Range is from 0 on.
func (*NegativeBinomialLikelihood) Range() (low, high float64, bounded bool) {
	return 0, math.Inf(1), true
}
