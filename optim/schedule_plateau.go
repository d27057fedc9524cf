package optim

func init() {
	Schedules.Add("plateau", func() Schedule { return &Plateau{Patience: 10, Gamma: 0.1, Threshold: 1e-4} })
}

// Plateau multiplies the learning rate by Gamma when the watched loss has not improved for more than Patience measurements in a
// row, as PyTorch's ReduceLROnPlateau does.
type Plateau struct {
	Warming
	Patience  int     `toml:"patience" min:"0" doc:"measurements without improvement that are borne"`
	Gamma     float64 `toml:"factor" over:"0" below:"1" doc:"what the learning rate is multiplied by"`
	Threshold float64 `toml:"threshold" min:"0" doc:"share of the best loss by which a better one has to be better"`

	measured bool
	best     float64
	waited   int
	drops    int
}

// Factor is Gamma to the number of drops so far.
func (s *Plateau) Factor(Progress) float64 {
	f := 1.0
	for range s.drops {
		f *= s.Gamma
	}
	return f
}

// Watch counts measurements without improvement.
func (s *Plateau) Watch(loss float64) {
	margin := s.Threshold * max(s.best, -s.best)
	switch {
	case loss != loss: // not a number: no measurement
	case !s.measured || loss < s.best-margin:
		s.measured, s.best, s.waited = true, loss, 0
	default:
		if s.waited++; s.waited > s.Patience {
			s.waited = 0
			s.drops++
		}
	}
}

// Reset forgets all measurements.
func (s *Plateau) Reset() { s.measured, s.best, s.waited, s.drops = false, 0, 0, 0 }

// Memory is whether there was a measurement, the best, how many since, and the drops.
func (s *Plateau) Memory() []float64 {
	measured := 0.0
	if s.measured {
		measured = 1
	}
	return []float64{measured, s.best, float64(s.waited), float64(s.drops)}
}

// SetMemory goes on from what Memory gave.
func (s *Plateau) SetMemory(m []float64) {
	const most = 1 << 20 // drops beyond reason
	if len(m) != 4 || !(m[3] >= 0 && m[3] < most) || !(m[2] >= 0 && m[2] < most) {
		return
	}
	s.measured, s.best, s.waited, s.drops = m[0] != 0, m[1], int(m[2]), int(m[3])
}
