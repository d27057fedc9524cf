package metrics

import (
	"fmt"
	"math"

	"gorgonia.org/tensor"
)

func init() { metrics.Add("explained-variance", func() Metric { return &ExplainedVariance{} }) }

// ExplainedVariance is the share of the data's variance that reconstructions account for, at most 1:
// 1 - Σ Var(target_j - recon_j) / Σ Var(target_j), summed over elements j of an example, variances over examples.
// A constant offset of an element costs nothing. NaN where the data do not vary. It equals scikit-learn's
// explained_variance_score with multioutput="variance_weighted".
type ExplainedVariance struct {
	reconInputs
	target, residual spread
}

// Update adds a batch; target and recon are N×... with the same example size in every batch.
func (m *ExplainedVariance) Update(in ...*tensor.Dense) error {
	target, recon, shape, err := pair(in)
	if err != nil || len(target) == 0 {
		return err
	}
	size := len(target) / shape[0]
	if m.target.n > 0 && len(m.target.mean) != size {
		return fmt.Errorf("explained-variance: examples have %d elements, those before had %d", size, len(m.target.mean))
	}
	difference := make([]float64, size)
	for from := 0; from < len(target); from += size {
		x, r := target[from:from+size], recon[from:from+size]
		for i := range difference {
			difference[i] = x[i] - r[i]
		}
		m.target.add(x)
		m.residual.add(difference)
	}
	return nil
}

// Value returns the share.
func (m *ExplainedVariance) Value() float64 {
	if m.target.squares == 0 {
		return math.NaN()
	}
	return 1 - m.residual.squares/m.target.squares
}

// LargerIsBetter returns true.
func (*ExplainedVariance) LargerIsBetter() bool { return true }

// spread keeps the mean of each element and the sum of all squared deviations from it, in one pass.
// Source: Welford 1962, "Note on a method for calculating corrected sums of squares and products".
type spread struct {
	n       float64
	mean    []float64
	squares float64
}

func (s *spread) add(x []float64) {
	if s.mean == nil {
		s.mean = make([]float64, len(x))
	}
	s.n++
	for i, v := range x {
		d := v - s.mean[i]
		s.mean[i] += d / s.n
		s.squares += d * (v - s.mean[i])
	}
}
