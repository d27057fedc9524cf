package optim

import "math"

func init() { Schedules.Add("exponential", func() Schedule { return &Exponential{Gamma: 0.95} }) }

// Exponential multiplies the learning rate by Gamma over each epoch, step by step.
type Exponential struct {
	Warming
	Gamma float64 `toml:"factor" over:"0" max:"1" doc:"what the learning rate is multiplied by in an epoch"`
}

// Factor is Gamma^epoch.
func (s *Exponential) Factor(p Progress) float64 { return math.Pow(s.Gamma, p.Epoch()) }
