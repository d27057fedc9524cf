package model

import (
	"errors"

	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
	"aetrain/prob"
)

func init() {
	Bottlenecks.Add("hyperspherical", func() Bottleneck {
		return &Hyperspherical{Sampling: newSampling(), Proposals: 12, Init: "torch"}
	})
}

// Hyperspherical is a code on the unit sphere in latent_dim dimensions: q(z|x) is von Mises-Fisher around the direction of a
// projection, encoder.mu, with the concentration softplus(encoder.kappa) + 1; the prior is uniform. penalties.kl has its closed form.
// encode gives the direction as z, and kappa.
// Source: Davidson et al. 2018, "Hyperspherical Variational Auto-Encoders", section 3.
type Hyperspherical struct {
	Sampling
	Proposals int    `toml:"proposals" min:"1" doc:"draws of the rejection sampler that are made at once, of which the first accepted counts"`
	Init      string `toml:"init" choices:"torch|he|xavier|orthogonal" doc:"how the projections' weights start, and those of their mirror"`
}

// Code is latentDim numbers, of length 1.
func (b *Hyperspherical) Code(_ graph.Shape, latentDim int) (graph.Shape, error) {
	if latentDim < 2 {
		return nil, errors.New("a direction has two numbers or more: give latent_dim a size above 1")
	}
	return graph.Shape{latentDim}, nil
}

// Encode projects to direction and concentration.
func (b *Hyperspherical) Encode(s *nn.Scope, h graph.Value, latentDim int) Latent {
	mu := prob.Unit(project(s, "mu", h, latentDim, b.Init))
	kappa := op.AddConst(op.Softplus(project(s, "kappa", h, 1, b.Init)), 1)
	return Latent{
		Posterior: prob.VonMisesFisher{Mu: mu, Kappa: kappa, Proposals: b.Proposals},
		Prior:     b.Prior(s, mu.Shape()),
		Outputs:   map[string]graph.Value{"kappa": kappa},
	}
}

// Prior is uniform.
func (b *Hyperspherical) Prior(s *nn.Scope, codes graph.Shape) prob.Distribution {
	return prob.SphereUniform{Graph: s.Graph(), Dims: codes}
}

// Reverse leads back to h.
func (b *Hyperspherical) Reverse(h graph.Shape, _ int, tied string) []nn.Layer {
	return reverse(h, b.Init, tied, "mu")
}

// Activation is linear.
func (*Hyperspherical) Activation(*nn.Stack, int) string { return "linear" }
