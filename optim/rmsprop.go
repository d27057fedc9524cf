package optim

import "aetrain/op"

func init() { Optimizers.Add("rmsprop", func() Optimizer { return &RMSProp{Alpha: 0.99, Eps: 1e-8} }) }

// RMSProp divides gradients by the root of their running mean square, as PyTorch's RMSprop (not centered) has it.
type RMSProp struct {
	Alpha    float64 `toml:"alpha" min:"0" below:"1" doc:"how much of the running mean square stays"`
	Eps      float64 `toml:"eps" over:"0" doc:"added to the root"`
	Momentum float64 `toml:"momentum" min:"0" below:"1" doc:"how much of the last step's direction stays"`
	WeightDecay
}

// Update adds the step of one parameter; it keeps v, and b with momentum.
func (o *RMSProp) Update(s *Slot) {
	h := op.RMSPropScalars{LR: s.LR, Alpha: o.Alpha, Eps: o.Eps, WeightDecay: o.Decay}
	v := s.Kept("v")
	if o.Momentum == 0 {
		p2, v2 := op.RMSPropUpdate(s.P, v, s.G, h, s.OK)
		s.Assign(s.P, p2)
		s.Assign(v, v2)
		return
	}
	b := s.Kept("b")
	p2, v2, b2 := op.RMSPropMomentumUpdate(s.P, v, b, s.G, h, o.Momentum, s.OK)
	s.Assign(s.P, p2)
	s.Assign(v, v2)
	s.Assign(b, b2)
}
