package metrics

import (
	"math"

	"gorgonia.org/tensor"
)

func init() {
	metrics.Add("mse", func() Metric { return &MSE{} })
	metrics.Add("mae", func() Metric { return &MAE{} })
}

// MSE is the mean squared error, over all elements of all examples.
type MSE struct {
	reconInputs
	mean mean
}

// Update adds a batch; target and recon are N×....
func (m *MSE) Update(in ...*tensor.Dense) error {
	target, recon, _, err := pair(in)
	if err != nil {
		return err
	}
	for i, x := range target {
		d := x - recon[i]
		m.mean.add(d * d)
	}
	return nil
}

// Value returns the mean, in squared units of the data.
func (m *MSE) Value() float64 { return m.mean.value() }

// LargerIsBetter returns false.
func (*MSE) LargerIsBetter() bool { return false }

// MAE is the mean absolute error, over all elements of all examples.
type MAE struct {
	reconInputs
	mean mean
}

// Update adds a batch; target and recon are N×....
func (m *MAE) Update(in ...*tensor.Dense) error {
	target, recon, _, err := pair(in)
	if err != nil {
		return err
	}
	for i, x := range target {
		m.mean.add(math.Abs(x - recon[i]))
	}
	return nil
}

// Value returns the mean, in units of the data.
func (m *MAE) Value() float64 { return m.mean.value() }

// LargerIsBetter returns false.
func (*MAE) LargerIsBetter() bool { return false }

// mean is a running mean; without values it is NaN.
type mean struct{ sum, n float64 }

func (m *mean) add(x float64)  { m.sum, m.n = m.sum+x, m.n+1 }
func (m *mean) value() float64 { return m.sum / m.n }
