package trainer

import "math"

// Every is a period in epochs; fractions are allowed and 0 is never.
type Every float64

// Due reports whether a period ends with this step, the step-th since the beginning of training, counted from 1.
func (e Every) Due(step, stepsPerEpoch int) bool {
	if e <= 0 || stepsPerEpoch == 0 {
		return false
	}
	// A period shorter than a step is one step. The tiny number keeps k·(1/k) epochs from missing the epoch's end by rounding.
	period := math.Max(float64(e)*float64(stepsPerEpoch), 1)
	count := func(s int) float64 { return math.Floor(float64(s)/period + 1e-9) }
	return count(step) > count(step-1)
}
