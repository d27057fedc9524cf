package optim

import (
	"math"
	"slices"

	"aetrain/configs"
)

func init() { Schedules.Add("step", func() Schedule { return &Stepwise{Every: 10, Gamma: 0.1} }) }

// Stepwise multiplies the learning rate by Gamma every so many epochs, or at the epochs that At lists (PyTorch's StepLR and MultiStepLR).
type Stepwise struct {
	Warming
	Every float64   `toml:"every" over:"0" doc:"epochs between two steps"`
	At    []float64 `toml:"at" over:"0" doc:"the epochs at which to step, in rising order, in place of every" example:"[1, 4, 13, 40, 121]"`
	Gamma float64   `toml:"factor" over:"0" max:"1" doc:"what the learning rate is multiplied by"`
}

// Validate wants rising epochs.
func (s *Stepwise) Validate() error {
	for i := 1; i < len(s.At); i++ {
		if s.At[i] <= s.At[i-1] {
			return configs.KeyError("at", "epoch %v does not come after %v; want them in rising order", s.At[i], s.At[i-1])
		}
	}
	return nil
}

// Factor is Gamma to the number of steps so far.
func (s *Stepwise) Factor(p Progress) float64 {
	const rounding = 1e-9 // of epoch = step / steps per epoch
	epoch := p.Epoch()
	if len(s.At) == 0 {
		return math.Pow(s.Gamma, math.Floor(epoch/s.Every+rounding))
	}
	reached := slices.IndexFunc(s.At, func(at float64) bool { return epoch+rounding < at })
	if reached < 0 {
		reached = len(s.At)
	}
	return math.Pow(s.Gamma, float64(reached))
}
