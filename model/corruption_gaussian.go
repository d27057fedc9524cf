package model

import (
	"aetrain/configs"
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

func init() { Corruptions.Add("gaussian", func() Corruption { return &GaussianNoise{Sigma: 0.3} }) }

// GaussianNoise adds normal noise to each element: x + Sigma·eps.
// Source: Vincent et al. 2010, "Stacked Denoising Autoencoders", section 3.3 (GS).
type GaussianNoise struct {
	Sigma float64 `toml:"sigma" min:"0" doc:"standard deviation of the noise, in units of the network's input"`
	Clip
}

// Clip is the key of noises that may lead out of the data's range.
type Clip struct {
	Range []float64 `toml:"clip" doc:"range that noisy values are limited to; left out: none" example:"[0.0, 1.0]"`
}

// Validate wants a range.
func (c Clip) Validate() error {
	if len(c.Range) != 0 && (len(c.Range) != 2 || c.Range[0] >= c.Range[1]) {
		return configs.KeyError("clip", "%v is no range; want two numbers, the smaller one first", c.Range)
	}
	return nil
}

func (c Clip) apply(x graph.Value) graph.Value {
	if len(c.Range) != 2 {
		return x
	}
	return op.Clamp(x, c.Range[0], c.Range[1])
}

// Corrupt adds noise; every element is replaced.
func (c *GaussianNoise) Corrupt(s *nn.Scope, x graph.Value) (corrupted, changed graph.Value) {
	noise := s.Normal("noise", x.Shape())
	return c.apply(op.Add(x, op.Scale(noise, c.Sigma))), s.Graph().Constant(graph.F32(x.Shape()...), 1)
}
