package optim

func init() {
	Optimizers.Add("adamw", func() Optimizer { return &AdamW{Moments: newMoments(), Decay: 0.01} })
}

// AdamW is Adam with weight decay taken from the parameter itself, times the learning rate.
// Source: Loshchilov & Hutter 2019, "Decoupled Weight Decay Regularization", algorithm 2.
type AdamW struct {
	Moments
	Decay float64 `toml:"weight_decay" min:"0" doc:"share of each parameter that is taken off, times the learning rate"`
}

// Update adds the step of one parameter; it keeps m and v.
func (o *AdamW) Update(s *Slot) { o.update(s, o.Decay, true) }
