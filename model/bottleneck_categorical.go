package model

import (
	"errors"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
	"aetrain/prob"
)

func init() {
	Bottlenecks.Add("categorical", func() Bottleneck {
		return &Categorical{Draws: 1, Classes: 10, Temperature: configs.Number(0.67), Init: "torch"}
	})
}

// Categorical is a code of latent_dim variables, each one of several classes: a vector of latent_dim·classes numbers. In training
// samples are relaxed by a temperature (or one-hot with the relaxed gradient), elsewhere they are one-hot. The prior is uniform;
// penalties.kl has its closed form. encode gives the likeliest classes as indices, too.
// Source: Jang, Gu & Poole 2017, "Categorical Reparameterization with Gumbel-Softmax".
type Categorical struct {
	Draws       int            `toml:"samples" min:"1" doc:"codes drawn of each example"`
	Classes     int            `toml:"classes" min:"2" doc:"classes of each variable; latent_dim is the number of variables"`
	Temperature configs.Scalar `toml:"temperature" over:"0" doc:"of the relaxation: near 0 samples are nearly one-hot and gradients noisy; a number or a schedule"`
	Hard        bool           `toml:"hard" doc:"samples in training are one-hot, too, with the gradient of the relaxed ones (straight-through)"`
	Init        string         `toml:"init" choices:"torch|he|xavier|orthogonal" doc:"how the projection's weights start, and those of its mirror"`
}

// Code is a one-hot vector for each variable.
func (b *Categorical) Code(_ graph.Shape, latentDim int) (graph.Shape, error) {
	if latentDim == 0 {
		return nil, errors.New("a categorical bottleneck has latent_dim variables: give it a size above 0")
	}
	return graph.Shape{latentDim * b.Classes}, nil
}

// Encode projects to logits, encoder.logits.
func (b *Categorical) Encode(s *nn.Scope, h graph.Value, latentDim int) Latent {
	logits := op.Reshape(project(s, "logits", h, latentDim*b.Classes, b.Init), h.Dim(0), latentDim, b.Classes)
	q := prob.Categorical{Logits: logits, Hard: b.Hard || !s.Training()}
	if s.Training() {
		q.Temperature = s.Scalar("temperature", b.Temperature)
	}
	return Latent{
		Posterior: q,
		Prior:     b.Prior(s, graph.Shape{h.Dim(0), latentDim * b.Classes}),
		Outputs:   map[string]graph.Value{"indices": op.ArgMax(logits)},
	}
}

// Prior is uniform.
func (b *Categorical) Prior(s *nn.Scope, codes graph.Shape) prob.Distribution {
	even := s.Graph().Constant(graph.F32(codes[0], codes[1]/b.Classes, b.Classes), 0)
	return prob.Categorical{Logits: even, Hard: true}
}

// Reverse leads back to h.
func (b *Categorical) Reverse(h graph.Shape, _ int, tied string) []nn.Layer {
	return reverse(h, b.Init, tied, "logits")
}

// Bound is the mean over samples.
func (b *Categorical) Bound() (kind string, samples int) { return "elbo", b.Draws }

// Check refuses bounds that need densities of relaxed samples.
func (b *Categorical) Check(m *Model) error {
	if m.importanceWeighted() {
		return errors.New("relaxed samples have no probability that an importance-weighted bound could weigh: take bound = \"elbo\"")
	}
	return nil
}

// posterior marks it as drawn.
func (b *Categorical) posterior() {}

// Activation is softmax.
func (*Categorical) Activation(*nn.Stack, int) string { return "softmax" }
