package optim

import "math"

func init() { Schedules.Add("step", func() Schedule { return &Stepwise{Every: 10, Gamma: 0.1} }) }

// Stepwise multiplies the learning rate by Gamma every so many epochs.
type Stepwise struct {
	Warming
	Every float64 `toml:"every" over:"0" doc:"epochs between two steps"`
	Gamma float64 `toml:"factor" over:"0" max:"1" doc:"what the learning rate is multiplied by"`
}

// Factor is Gamma to the number of steps so far.
func (s *Stepwise) Factor(p Progress) float64 {
	const rounding = 1e-9 // of epoch = step / steps per epoch
	return math.Pow(s.Gamma, math.Floor(p.Epoch()/s.Every+rounding))
}
