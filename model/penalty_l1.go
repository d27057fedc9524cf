package model

import (
	"errors"

	"aetrain/configs"
	"aetrain/nn"
	"aetrain/op"
)

func init() { Penalties.Add("l1", func() Penalty { return &L1{Weight: configs.Number(1e-3)} }) }

// L1 is the sum of the absolute values of a layer's output, which makes it sparse.
type L1 struct {
	Weight configs.Scalar `toml:"weight" min:"0" doc:"weight in the loss; a number or a schedule"`
	On     string         `toml:"on" doc:"name or path of the layer; left out: the code" example:"\"encoder.0\""`
}

// Suits wants a code that is not sparse by itself.
func (p *L1) Suits(b Bottleneck) error {
	if _, sparse := b.(interface{ sparse() }); sparse && p.On == "" {
		return errors.New("l1 means nothing on a code that is sparse by itself: give a layer by on, or leave the penalty out (enabled = false)")
	}
	return nil
}

// Term is Σ|a| of each example.
func (p *L1) Term(s *nn.Scope, f *Forward) Term {
	sum := f.PerExample(op.Abs(f.Output(p.On)))
	return Term{Log: sum, Minimise: sum, Weight: s.Scalar("weight", p.Weight)}
}
