package model

import (
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

func init() { Corruptions.Add("dropout", func() Corruption { return &InputDropout{Ratio: 0.25} }) }

// InputDropout sets a share of the elements to 0 and scales the others by 1/(1-Ratio), so that their sum keeps its mean.
// Source: Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", section 10; the
// corruption of Mult-DAE, Liang et al. 2018, "Variational Autoencoders for Collaborative Filtering".
type InputDropout struct {
	Ratio float64 `toml:"ratio" min:"0" below:"1" doc:"share of the elements that become 0"`
}

// Corrupt draws which elements are lost; lost ones count as replaced.
func (c *InputDropout) Corrupt(s *nn.Scope, x graph.Value) (corrupted, changed graph.Value) {
	lost := s.Bernoulli("lost", c.Ratio, x.Shape())
	return op.Select(lost, s.Graph().Constant(graph.F32(x.Shape()...), 0), op.Scale(x, 1/(1-c.Ratio))), lost
}
