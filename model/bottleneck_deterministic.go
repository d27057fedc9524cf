package model

import (
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

func init() {
	Bottlenecks.Add("deterministic", func() Bottleneck { return &Deterministic{Function: "linear", Init: "torch"} })
}

// Deterministic is the code of a plain autoencoder: a dense projection to latent_dim numbers, encoder.code; with latent_dim = 0
// the encoder's output itself.
type Deterministic struct {
	Function string `toml:"activation" choices:"linear|relu|leaky_relu|elu|gelu|silu|tanh|sigmoid|softplus" doc:"activation of the projected code"`
	Init     string `toml:"init" choices:"torch|he|xavier|orthogonal" doc:"how the projection's weights start, and those of its mirror"`
}

// Code is latentDim numbers, or the encoder's output.
func (b *Deterministic) Code(h graph.Shape, latentDim int) (graph.Shape, error) {
	if latentDim == 0 {
		return h, nil
	}
	return graph.Shape{latentDim}, nil
}

// Encode projects.
func (b *Deterministic) Encode(s *nn.Scope, h graph.Value, latentDim int) Latent {
	if latentDim == 0 {
		return Latent{Z: h}
	}
	z := project(s, "code", h, latentDim, b.Init)
	return Latent{Z: nn.Activate(b.Function, z)}
}

// project is a dense layer on the flattened h.
func project(s *nn.Scope, name string, h graph.Value, units int, init string) graph.Value {
	d := nn.NewDense(units)
	d.Init = init
	return s.Within(name, func(s *nn.Scope) graph.Value { return d.Build(s, op.Flatten(h)) })
}

// Reverse leads back to h.
func (b *Deterministic) Reverse(h graph.Shape, latentDim int, tied string) []nn.Layer {
	if latentDim == 0 {
		return nil
	}
	return reverse(h, b.Init, tied, "code")
}

func reverse(h graph.Shape, init, tied, name string) []nn.Layer {
	if tied != "" {
		tied = graph.Join(tied, name)
	}
	return nn.ReverseProjection(h, init, tied)
}

// Bound is that of a plain loss.
func (b *Deterministic) Bound() (kind string, samples int) { return "elbo", 1 }

// Activation is the projection's, or that with which the encoder ends.
func (b *Deterministic) Activation(encoder *nn.Stack, latentDim int) string {
	if latentDim == 0 {
		_, activation := encoder.Last()
		return activation
	}
	return b.Function
}
