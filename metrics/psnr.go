package metrics

import (
	"math"

	"gorgonia.org/tensor"
)

func init() { metrics.Add("psnr", func() Metric { return &PSNR{Range: 1} }) }

// smallestMSE keeps the PSNR of an exact reconstruction finite (100 dB for data in [0,1]): one such image would
// make the mean infinite otherwise.
const smallestMSE = 1e-10

// PSNR is the peak signal-to-noise ratio in dB, 10·log10(Range² / MSE) of each example, averaged over examples.
// Exact reconstructions count as an MSE of 1e-10·Range².
type PSNR struct {
	reconInputs
	Range float64 // largest minus smallest possible value of the data
	mean  mean
}

// Update adds a batch; target and recon are N×....
func (m *PSNR) Update(in ...*tensor.Dense) error {
	target, recon, shape, err := pair(in)
	if err != nil || len(target) == 0 {
		return err
	}
	size := len(target) / shape[0]
	for from := 0; from < len(target); from += size {
		var squared mean
		for i := from; i < from+size; i++ {
			d := (target[i] - recon[i]) / m.Range
			squared.add(d * d)
		}
		m.mean.add(-10 * math.Log10(math.Max(squared.value(), smallestMSE)))
	}
	return nil
}

// Value returns the mean in dB.
func (m *PSNR) Value() float64 { return m.mean.value() }

// LargerIsBetter returns true.
func (*PSNR) LargerIsBetter() bool { return true }
