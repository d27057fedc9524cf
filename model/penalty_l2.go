package model

import (
	"aetrain/configs"
	"aetrain/nn"
	"aetrain/op"
)

func init() { Penalties.Add("l2", func() Penalty { return &L2{Weight: configs.Number(1e-3)} }) }

// L2 is half the sum of the squares of a layer's output, which keeps a deterministic code from drifting away.
// Source: Ghosh et al. 2020, "From Variational to Deterministic Autoencoders", eq. 8.
type L2 struct {
	Weight configs.Scalar `toml:"weight" min:"0" doc:"weight in the loss; a number or a schedule"`
	On     string         `toml:"on" doc:"name or path of the layer; left out: the code" example:"\"encoder.0\""`
}

// Term is ½Σa² of each example.
func (p *L2) Term(s *nn.Scope, f *Forward) Term {
	sum := op.Scale(f.PerExample(op.Square(f.Output(p.On))), 0.5)
	return Term{Log: sum, Minimise: sum, Weight: s.Scalar("weight", p.Weight)}
}
