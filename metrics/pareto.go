package metrics

import (
	"fmt"
	"math"
)

// Pareto is a generalised Pareto distribution of excesses over a level: P(Y > y) = (1 + Shape·y/Scale)^(-1/Shape), of Shape 0
// exp(-y/Scale).
type Pareto struct {
	Shape, Scale  float64
	LogLikelihood float64 // nats of all excesses that it was fitted to
}

// leastShape bounds the shape: below -1 the likelihood has no maximum, below -1/2 the estimate is not regular.
// Source: Smith 1985, "Maximum likelihood estimation in a class of nonregular cases".
const leastShape = -0.5

// FitPareto finds the largest likelihood for excesses, all positive, at least 5. With x = Shape/Scale known the best shape is
// mean log(1 + x·y), so that one number is searched for.
// Source: Grimshaw 1993, "Computing maximum likelihood estimates for the generalized Pareto distribution", section 2.
func FitPareto(excesses []float64) (Pareto, error) {
	const fewest = 5
	if len(excesses) < fewest {
		return Pareto{}, fmt.Errorf("pareto: %d excesses; want at least %d", len(excesses), fewest)
	}
	mean, largest := 0.0, 0.0
	for _, y := range excesses {
		if !(y > 0) || math.IsInf(y, 1) {
			return Pareto{}, fmt.Errorf("pareto: an excess is %v; want positive numbers", y)
		}
		mean += y / float64(len(excesses))
		largest = math.Max(largest, y)
	}
	best := at(excesses, mean, 0)
	// x lies above -1/largest; its natural unit is 1/mean. A grid finds the hill, golden sections its top.
	const steps = 400
	bottom := -1 / largest
	place := func(i int) float64 { // from bottom (excluded) to 0, then to 100/mean
		u := float64(i) / steps
		if u < 0.5 {
			return bottom * (1 - 2*u) * 0.999999
		}
		return (math.Pow(101, 2*u-1) - 1) / mean
	}
	hill := steps / 2
	for i := range steps + 1 {
		if p := at(excesses, mean, place(i)); p.LogLikelihood > best.LogLikelihood {
			best, hill = p, i
		}
	}
	low, high := place(max(hill-1, 0)), place(min(hill+1, steps))
	ratio := (math.Sqrt(5) - 1) / 2
	for range 100 {
		a, b := high-ratio*(high-low), low+ratio*(high-low)
		if at(excesses, mean, a).LogLikelihood > at(excesses, mean, b).LogLikelihood {
			high = b
		} else {
			low = a
		}
	}
	if p := at(excesses, mean, (low+high)/2); p.LogLikelihood > best.LogLikelihood {
		best = p
	}
	return best, nil
}

// at is the best distribution with this ratio of shape and scale; its likelihood is that of no shape where it is not allowed.
func at(excesses []float64, mean, x float64) Pareto {
	n := float64(len(excesses))
	if math.Abs(x*mean) < 1e-9 {
		return Pareto{Shape: 0, Scale: mean, LogLikelihood: -n * (math.Log(mean) + 1)}
	}
	shape := 0.0
	for _, y := range excesses {
		shape += math.Log1p(x*y) / n
	}
	if p := (Pareto{Shape: shape, Scale: shape / x}); shape >= leastShape && p.Scale > 0 {
		p.LogLikelihood = -n * (math.Log(p.Scale) + 1 + shape)
		return p
	}
	return Pareto{Shape: shape, LogLikelihood: math.Inf(-1)}
}

// Exceeded is the excess that is exceeded with this probability, 0 < p <= 1.
func (d Pareto) Exceeded(p float64) float64 {
	if d.Shape == 0 {
		return -d.Scale * math.Log(p)
	}
	return d.Scale / d.Shape * (math.Pow(p, -d.Shape) - 1)
}
