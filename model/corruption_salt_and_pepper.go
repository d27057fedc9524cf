package model

import (
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

func init() {
	Corruptions.Add("salt-and-pepper", func() Corruption { return &SaltAndPepper{Ratio: 0.1, Low: 0, High: 1} })
}

// SaltAndPepper sets a share of the elements to the lowest or the highest value, each as likely.
// Source: Vincent et al. 2010, "Stacked Denoising Autoencoders", section 3.3 (SP).
type SaltAndPepper struct {
	Ratio float64 `toml:"ratio" min:"0" max:"1" doc:"share of the elements that are replaced"`
	Low   float64 `toml:"low" doc:"value of pepper"`
	High  float64 `toml:"high" doc:"value of salt"`
}

// Corrupt draws which elements are replaced, and by which of the two.
func (c *SaltAndPepper) Corrupt(s *nn.Scope, x graph.Value) (corrupted, changed graph.Value) {
	hit := s.Bernoulli("hit", c.Ratio, x.Shape())
	salt := s.Bernoulli("salt", 0.5, x.Shape())
	value := op.AddConst(op.Scale(salt, c.High-c.Low), c.Low)
	return op.Select(hit, value, x), hit
}
