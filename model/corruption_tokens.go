package model

import (
	"fmt"

	"aetrain/graph"
	"aetrain/internal/token"
	"aetrain/nn"
	"aetrain/op"
)

func init() { Corruptions.Add("tokens", func() Corruption { return &Tokens{Ratio: 0.15} }) }

// Tokens makes the unknown token of a share of the tokens that the encoder sees.
// Source: Devlin et al. 2019, "BERT", section 3.1, with one token in place of all hidden ones; Lewis et al. 2020, "BART", section 2.2.
type Tokens struct {
	Ratio float64 `toml:"ratio" min:"0" max:"1" doc:"share of the tokens that become the unknown one"`
}

// Corrupt draws which tokens are lost.
func (c *Tokens) Corrupt(s *nn.Scope, x graph.Value) (corrupted, changed graph.Value) {
	lost := s.Bernoulli("lost", c.Ratio, x.Shape())
	return op.Select(lost, s.Graph().Constant(graph.F32(x.Shape()...), token.Unknown), x), lost
}

// Check wants tokens.
func (c *Tokens) Check(m *Model) error {
	if m.vocabulary() == 0 {
		return fmt.Errorf("x is %v and holds no tokens: take masking", m.x)
	}
	return nil
}
