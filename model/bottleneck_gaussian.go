package model

import (
	"errors"

	"aetrain/graph"
	"aetrain/nn"
	"aetrain/prob"
)

func init() {
	Bottlenecks.Add("gaussian", func() Bottleneck { return &Gaussian{Sampling: newSampling(), Flow: newFlow(), Init: "torch"} })
}

// Gaussian is the code of a variational autoencoder: q(z|x) = N(mu(x), exp(logVar(x))) with a diagonal covariance, the prior
// N(0, I). mu and logVar are dense projections of the flattened encoder output: encoder.mu, encoder.log_var.
// Source: Kingma & Welling 2014, "Auto-Encoding Variational Bayes", section 3.
type Gaussian struct {
	Sampling
	Flow   FlowConfig    `toml:"flow" doc:"maps that bend the posterior; its divergence is then that of the samples" example:"{ kind = \"planar\", steps = 4 }"`
	Levels []LadderLevel `toml:"levels" doc:"levels of latent variables below the top one, which latent_dim is the size of, from above; the decoder takes the last one's" example:"[{ on = \"encoder.0\", latent_dim = 32 }]"`
	Init   string        `toml:"init" choices:"torch|he|xavier|orthogonal" doc:"how the projections' weights start, and those of their mirror"`
}

// Code is latentDim numbers, or those of the lowest level.
func (b *Gaussian) Code(_ graph.Shape, latentDim int) (graph.Shape, error) {
	if latentDim == 0 {
		return nil, errors.New("a gaussian bottleneck projects to mean and variance of a code: give latent_dim a size above 0")
	}
	if l := b.lowest(); l != nil {
		return graph.Shape{l.Latent}, nil
	}
	return graph.Shape{latentDim}, nil
}

// Encode projects to the posterior's parameters.
func (b *Gaussian) Encode(s *nn.Scope, h graph.Value, latentDim int) Latent {
	mu := project(s, "mu", h, latentDim, b.Init)
	logVar := project(s, "log_var", h, latentDim, b.Init)
	q := b.Flow.bend(s, prob.Normal{Mu: mu, LogVar: logVar}, h)
	return Latent{Posterior: q, Prior: prob.Standard{Graph: s.Graph(), Dims: mu.Shape()}}
}

// Reverse leads back to h; tied weights are those of mu.
func (b *Gaussian) Reverse(h graph.Shape, _ int, tied string) []nn.Layer {
	return reverse(h, b.Init, tied, "mu")
}

// Activation is linear: a code may be any number.
func (*Gaussian) Activation(*nn.Stack, int) string { return "linear" }
