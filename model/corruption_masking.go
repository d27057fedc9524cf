package model

import (
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

func init() { Corruptions.Add("masking", func() Corruption { return &Masking{Ratio: 0.25} }) }

// Masking sets a share of the elements to 0.
// Source: Vincent et al. 2010, "Stacked Denoising Autoencoders", section 3.3 (MN).
type Masking struct {
	Ratio float64 `toml:"ratio" min:"0" max:"1" doc:"share of the elements that become 0"`
}

// Corrupt draws which elements are lost.
func (c *Masking) Corrupt(s *nn.Scope, x graph.Value) (corrupted, changed graph.Value) {
	lost := s.Bernoulli("lost", c.Ratio, x.Shape())
	return op.Select(lost, s.Graph().Constant(graph.F32(x.Shape()...), 0), x), lost
}
