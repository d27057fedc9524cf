package optim

import "math"

func init() { Schedules.Add("cosine", func() Schedule { return &Cosine{} }) }

// Cosine takes the learning rate along half a cosine from its value (after warm-up) to Final at the last epoch.
// Where no end is known the learning rate stays.
// Source: Loshchilov & Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm Restarts", eq. 5, without restarts.
type Cosine struct {
	Warming
	Final float64 `toml:"final" min:"0" max:"1" doc:"share of the learning rate that is left at the end"`
}

// Factor is Final + (1-Final)·(1 + cos(π·way)) / 2.
func (c *Cosine) Factor(p Progress) float64 {
	length := p.Epochs - c.Warmup
	if length <= 0 {
		return 1
	}
	way := min(1, max(0, p.Epoch()-c.Warmup)/length)
	return c.Final + (1-c.Final)*(1+math.Cos(math.Pi*way))/2
}
