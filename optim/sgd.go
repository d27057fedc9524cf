package optim

import "aetrain/op"

func init() { Optimizers.Add("sgd", func() Optimizer { return &SGD{} }) }

// WeightDecay is the key of optimisers that add it to the gradient.
type WeightDecay struct {
	Decay float64 `toml:"weight_decay" min:"0" doc:"share of each parameter that is added to its gradient (L2)"`
}

// SGD is gradient descent: p - learning_rate·(g + weight_decay·p).
type SGD struct{ WeightDecay }

// Update adds the step of one parameter.
func (o *SGD) Update(s *Slot) {
	s.Assign(s.P, op.SGDUpdate(s.P, s.G, op.SGDScalars{LR: s.LR, WeightDecay: o.Decay}, s.OK))
}
