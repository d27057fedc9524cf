package optim

import "aetrain/op"

func init() { Optimizers.Add("momentum", func() Optimizer { return &Momentum{Momentum: 0.9} }) }

// Momentum is gradient descent with momentum, as PyTorch's SGD has it: v = momentum·v + g, p = p - learning_rate·v.
type Momentum struct {
	Momentum float64 `toml:"momentum" min:"0" below:"1" doc:"how much of the last step's direction stays"`
	Nesterov bool    `toml:"nesterov" doc:"look ahead: step by g + momentum·v"`
	WeightDecay
}

// Update adds the step of one parameter; it keeps v.
func (o *Momentum) Update(s *Slot) {
	v := s.Kept("v")
	p2, v2 := op.MomentumUpdate(s.P, v, s.G,
		op.MomentumScalars{LR: s.LR, Momentum: o.Momentum, Nesterov: o.Nesterov, WeightDecay: o.Decay}, s.OK)
	s.Assign(s.P, p2)
	s.Assign(v, v2)
}
