package model

import (
	"aetrain/configs"
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
	"aetrain/prob"
)

func init() {
	Reconstructions.Add("gaussian", func() Reconstruction {
		return &GaussianLikelihood{ReconstructionOptions: newReconstructionOptions(), Variance: configs.NumbersOrWord{Numbers: []float64{1}}}
	})
}

// GaussianLikelihood is the whole negative log-density of N(recon, variance), with its constants. The variance is a number, one
// learned for the whole set (decoder.log_variance), or, per feature, the decoder's: it then gives a mean and a log-variance for each
// number of x, the means in the first half of its channels.
// Source: Kingma & Welling 2014, "Auto-Encoding Variational Bayes", appendix C.2; one learned variance: Rybkin et al. 2021,
// "Simple and Effective VAE Training with Calibrated Decoders".
type GaussianLikelihood struct {
	ReconstructionOptions
	density
	Variance configs.NumbersOrWord `toml:"variance" over:"0" choices:"learned|per-feature" doc:"a number; \"learned\": one for the set; \"per-feature\": the decoder gives one for each feature of each example"`
}

// Validate wants a single number.
func (r *GaussianLikelihood) Validate() error {
	return checkOneNumber("variance", r.Variance, `"learned" or "per-feature"`)
}

// leastLogVar and mostLogVar bound a decoder's log-variances, so that one pixel that never changes cannot make the density infinite.
const (
	leastLogVar = -10
	mostLogVar  = 10
)

// Channels is 1, or 2 where the decoder gives variances.
func (r *GaussianLikelihood) Channels() int {
	if r.Variance.Word == "per-feature" {
		return 2
	}
	return 1
}

// Distribution is a normal one.
func (r *GaussianLikelihood) Distribution(s *nn.Scope, raw graph.Value, channels int) prob.Distribution {
	if r.Variance.Word != "per-feature" {
		return prob.Normal{Mu: raw, LogVar: logOf(s, "log_variance", r.Variance)}
	}
	mu, logVar := halves(raw, channels)
	return prob.Normal{Mu: mu, LogVar: op.Clamp(logVar, leastLogVar, mostLogVar)}
}
