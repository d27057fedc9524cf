package model

import (
	"aetrain/configs"
	"aetrain/nn"
	"aetrain/op"
)

func init() { Penalties.Add("trash", func() Penalty { return &Trash{Weight: configs.Number(1)} }) }

// Trash is what a quantum autoencoder minimises: 1 - F, with the probability F to find the qubits that a circuit throws away in
// |0>. What such a circuit leaves is that part of the state, and F its squared length. Where F is 1 the others hold all that the
// state tells, and the inverse circuit gives it back.
// Source: Romero, Olson & Aspuru-Guzik 2017, "Quantum autoencoders for efficient compression of quantum data", eq. 4 and 5.
type Trash struct {
	Weight configs.Scalar `toml:"weight" min:"0" doc:"weight in the loss; a number or a schedule"`
	On     string         `toml:"on" doc:"name or path of the circuit; left out: the code" example:"\"encoder.0\""`
}

// Term is 1 - F of each example.
func (p *Trash) Term(s *nn.Scope, f *Forward) Term {
	lost := op.AddConst(op.Neg(f.PerExample(op.Square(f.Output(p.On)))), 1)
	return Term{Log: lost, Minimise: lost, Weight: s.Scalar("weight", p.Weight)}
}
