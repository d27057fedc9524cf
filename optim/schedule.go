package optim

// Progress is a point of training.
type Progress struct {
	Step          int     // steps done
	StepsPerEpoch float64 // how many an epoch has
	Epochs        float64 // planned in all; 0: no end is known
}

// Epoch is how many epochs are done, fractions included.
func (p Progress) Epoch() float64 { return float64(p.Step) / max(1, p.StepsPerEpoch) }

// Schedule is how the learning rate changes. Its fields are its keys.
type Schedule interface {
	// Factor is the share of the learning rate at p, warm-up left aside.
	Factor(p Progress) float64
	// WarmUp is how many epochs the learning rate takes to rise from 0.
	WarmUp() float64
}

// Watcher is implemented by schedules that look at how training goes. What it keeps is part of a checkpoint.
type Watcher interface {
	// Watch is told the validation loss (the training loss, where there is no validation) each time it is measured.
	Watch(loss float64)
	// Memory is what the schedule keeps; SetMemory gives it back on resume, and ignores what is not of its form.
	Memory() []float64
	SetMemory(m []float64)
}

// Warming is the key that all schedules have.
type Warming struct {
	Warmup float64 `toml:"warmup" min:"0" doc:"epochs in which the learning rate rises from 0 to its value, in a line"`
}

// WarmUp returns the epochs of warm-up.
func (w Warming) WarmUp() float64 { return w.Warmup }

// factor is the schedule's share times the warm-up's: (step+1) / (steps of warm-up), at most 1.
func factor(s Schedule, p Progress) float64 {
	f := s.Factor(p)
	if steps := s.WarmUp() * max(1, p.StepsPerEpoch); steps > 0 {
		f *= min(1, float64(p.Step+1)/steps)
	}
	return f
}
