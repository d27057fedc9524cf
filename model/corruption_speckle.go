package model

import (
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

func init() { Corruptions.Add("speckle", func() Corruption { return &Speckle{Sigma: 0.3} }) }

// Speckle is noise that grows with the signal, as in radar and ultrasound: x·(1 + Sigma·eps).
type Speckle struct {
	Sigma float64 `toml:"sigma" min:"0" doc:"standard deviation of the noise, as a share of each element"`
	Clip
}

// Corrupt multiplies by noise; every element is replaced.
func (c *Speckle) Corrupt(s *nn.Scope, x graph.Value) (corrupted, changed graph.Value) {
	noise := s.Normal("noise", x.Shape())
	return c.apply(op.Mul(x, op.AddConst(op.Scale(noise, c.Sigma), 1))), s.Graph().Constant(graph.F32(x.Shape()...), 1)
}
