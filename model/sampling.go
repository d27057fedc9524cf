package model

import "aetrain/configs"

// Sampling holds the keys of bottlenecks that draw their code: how many of an example, and the bound that reduces the terms.
type Sampling struct {
	BoundKind string  `toml:"bound" choices:"elbo|iwae|miwae|ciwae" doc:"elbo: the mean over samples; iwae: the importance-weighted bound, tighter with more samples; miwae: the mean of that over groups of samples; ciwae: a mixture of elbo and iwae"`
	Draws     int     `toml:"samples" min:"1" doc:"codes drawn of each example"`
	Groups    int     `toml:"groups" min:"1" doc:"groups that miwae divides the samples into"`
	Mix       float64 `toml:"mix" min:"0" max:"1" doc:"share of the elbo in ciwae"`
}

// newSampling holds the defaults.
func newSampling() Sampling { return Sampling{BoundKind: "elbo", Draws: 1, Groups: 1, Mix: 0.5} }

// Validate wants whole groups.
func (s *Sampling) Validate() error {
	if s.Draws%max(1, s.Groups) != 0 {
		return configs.KeyError("groups", "%d samples do not make %d groups of one size", s.Draws, s.Groups)
	}
	return nil
}

// Bound is the configured one.
func (s *Sampling) Bound() (kind string, samples int) { return s.BoundKind, s.Draws }

// sampling returns the keys to bounds that need them.
func (s *Sampling) sampling() *Sampling { return s }

// samplingOf are the keys of the model's bottleneck, or the defaults where it draws nothing.
func samplingOf(f *Forward) Sampling {
	if f.model != nil {
		if b, ok := f.model.Config.Bottleneck.(interface{ sampling() *Sampling }); ok {
			return *b.sampling()
		}
	}
	return newSampling()
}

// variational is implemented by bottlenecks with a posterior.
type variational interface{ posterior() }

// posterior marks bottlenecks that draw their code.
func (s *Sampling) posterior() {}

// groupsOf is how many groups there are of this many samples: those configured, as far as they divide (evaluation may draw other
// numbers of samples than training).
func (s Sampling) groupsOf(samples int) int {
	if samples%s.Groups == 0 {
		return s.Groups
	}
	return 1
}
