package model

import (
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

func init() { Corruptions.Add("gaussian", func() Corruption { return &GaussianNoise{Sigma: 0.3} }) }

// GaussianNoise adds normal noise to each element: x + Sigma·eps.
// Source: Vincent et al. 2010, "Stacked Denoising Autoencoders", section 3.3 (GS).
type GaussianNoise struct {
	Sigma float64 `toml:"sigma" min:"0" doc:"standard deviation of the noise, in units of the network's input"`
}

// Corrupt adds noise; every element is replaced.
func (c *GaussianNoise) Corrupt(s *nn.Scope, x graph.Value) (corrupted, changed graph.Value) {
	noise := s.Normal("noise", x.Shape())
	return op.Add(x, op.Scale(noise, c.Sigma)), s.Graph().Constant(graph.F32(x.Shape()...), 1)
}
