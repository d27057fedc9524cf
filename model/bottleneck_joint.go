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
	Bottlenecks.Add("joint", func() Bottleneck {
		return &Joint{Draws: 1, Variables: 1, Classes: 10, Temperature: configs.Number(0.67), Init: "torch"}
	})
}

// Joint is a code of continuous numbers and choices of a class: latent_dim gaussian ones, then a vector of classes for each
// variable, relaxed in training and one-hot elsewhere. Priors are N(0, I) and uniform. penalties.kl weighs both divergences
// together, penalties.joint-capacity holds each to a capacity of its own.
// Source: Dupont 2018, "Learning Disentangled Joint Continuous and Discrete Representations", section 3.
type Joint struct {
	Draws       int            `toml:"samples" min:"1" doc:"codes drawn of each example"`
	Variables   int            `toml:"variables" min:"1" doc:"how many choices a code has"`
	Classes     int            `toml:"classes" min:"2" doc:"classes of each choice"`
	Temperature configs.Scalar `toml:"temperature" over:"0" doc:"of the relaxation: near 0 samples are nearly one-hot and gradients noisy; a number or a schedule"`
	Init        string         `toml:"init" choices:"torch|he|xavier|orthogonal" doc:"how the projections' weights start, and those of their mirror"`
}

// Code is the numbers and the one-hot vectors.
func (b *Joint) Code(_ graph.Shape, latentDim int) (graph.Shape, error) {
	if latentDim == 0 {
		return nil, errors.New("a joint bottleneck has latent_dim continuous numbers: give it a size above 0, or choose categorical")
	}
	return graph.Shape{latentDim + b.Variables*b.Classes}, nil
}

// Encode projects to mean and variance, encoder.mu and encoder.log_var, and to logits, encoder.logits.
func (b *Joint) Encode(s *nn.Scope, h graph.Value, latentDim int) Latent {
	normal := prob.Normal{Mu: project(s, "mu", h, latentDim, b.Init), LogVar: project(s, "log_var", h, latentDim, b.Init)}
	logits := op.Reshape(project(s, "logits", h, b.Variables*b.Classes, b.Init), h.Dim(0), b.Variables, b.Classes)
	choice := prob.Categorical{Logits: logits, Hard: !s.Training()}
	if s.Training() {
		choice.Temperature = s.Scalar("temperature", b.Temperature)
	}
	q := prob.Product{Parts: []prob.Distribution{normal, choice}, Sizes: []int{latentDim, b.Variables * b.Classes}}
	return Latent{
		Posterior: q,
		Prior:     b.Prior(s, graph.Shape{h.Dim(0), latentDim + b.Variables*b.Classes}),
		Outputs:   map[string]graph.Value{"mu": normal.Mu, "log_var": normal.LogVar, "indices": op.ArgMax(logits)},
	}
}

// Prior is N(0, I) of the numbers and uniform of the choices.
func (b *Joint) Prior(s *nn.Scope, codes graph.Shape) prob.Distribution {
	n, choices := codes[0], b.Variables*b.Classes
	even := s.Graph().Constant(graph.F32(n, b.Variables, b.Classes), 0)
	return prob.Product{
		Parts: []prob.Distribution{prob.Standard{Graph: s.Graph(), Dims: graph.Shape{n, codes[1] - choices}}, prob.Categorical{Logits: even, Hard: true}},
		Sizes: []int{codes[1] - choices, choices},
	}
}

// Reverse leads back to h.
func (b *Joint) Reverse(h graph.Shape, _ int, _ string) []nn.Layer {
	return reverse(h, b.Init, "", "")
}

// Bound is the mean over samples.
func (b *Joint) Bound() (kind string, samples int) { return "elbo", b.Draws }

// Check refuses what relaxed samples and two projections cannot have.
func (b *Joint) Check(m *Model) error {
	switch {
	case m.importanceWeighted():
		return errors.New("relaxed samples have no probability that an importance-weighted bound could weigh: take bound = \"elbo\"")
	case m.Config.Tied:
		return errors.New("a joint code comes from several projections, none of which is the mirror's: leave model.tied out")
	}
	return nil
}

// posterior marks it as drawn.
func (b *Joint) posterior() {}

// Activation is linear: the numbers may be any.
func (*Joint) Activation(*nn.Stack, int) string { return "linear" }
