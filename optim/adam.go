package optim

import (
	"aetrain/configs"
	"aetrain/op"
)

func init() {
	Optimizers.Add("adam", func() Optimizer { return &Adam{Moments: newMoments()} })
}

// Moments are the keys of Adam and its kin.
type Moments struct {
	Betas []float64 `toml:"betas" min:"0" below:"1" doc:"how much of the running mean and of the running mean square of gradients stays"`
	Eps   float64   `toml:"eps" over:"0" doc:"added to the root (Keras's default is 1e-7)"`
}

// newMoments holds PyTorch's defaults.
func newMoments() Moments { return Moments{Betas: []float64{0.9, 0.999}, Eps: 1e-8} }

// Validate wants two betas.
func (m Moments) Validate() error {
	if len(m.Betas) != 2 {
		return configs.KeyError("betas", "%d numbers; want two, such as [0.9, 0.999]", len(m.Betas))
	}
	return nil
}

// update adds the step of one parameter; it keeps m and v.
func (m Moments) update(s *Slot, decay float64, decoupled bool) {
	h := op.AdamScalars{LR: s.LR, Beta1: m.Betas[0], Beta2: m.Betas[1], Eps: m.Eps, WeightDecay: decay, Decoupled: decoupled}
	h.Correction1, h.Correction2 = op.AdamCorrections(s.Steps, h.Beta1, h.Beta2)
	first, second := s.Kept("m"), s.Kept("v")
	p2, m2, v2 := op.AdamUpdate(s.P, first, second, s.G, h, s.OK)
	s.Assign(s.P, p2)
	s.Assign(first, m2)
	s.Assign(second, v2)
}

// Adam scales steps by running moments of the gradient; weight decay is added to the gradient, as PyTorch's Adam has it.
// Source: Kingma & Ba 2015, "Adam: A Method for Stochastic Optimization", algorithm 1.
type Adam struct {
	Moments
	WeightDecay
}

// Update adds the step of one parameter; it keeps m and v.
func (o *Adam) Update(s *Slot) { o.update(s, o.Decay, false) }
