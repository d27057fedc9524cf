package metrics

import (
	"fmt"
	"math"
	"slices"

	"gorgonia.org/tensor"
)

// factorInputs gathers codes and the known factors of the same examples, for metrics that ask which code holds which factor.
type factorInputs struct {
	codes, factors [][]float64 // a row an example
}

// Inputs returns "code" and "factors".
func (*factorInputs) Inputs() []string { return []string{"code", "factors"} }

// Update adds a batch; code is N×..., its axes after the first taken as one; factors are N×K.
func (m *factorInputs) Update(in ...*tensor.Dense) error {
	if len(in) != 2 {
		return fmt.Errorf("wants code and factors, got %d arrays", len(in))
	}
	codes, err := newTable(in[0])
	if err != nil {
		return fmt.Errorf("code: %w", err)
	}
	factors, err := newTable(in[1])
	if err != nil {
		return fmt.Errorf("factors: %w", err)
	}
	switch {
	case codes.n != factors.n:
		return fmt.Errorf("code is %v and factors are %v; want the same examples", in[0].Shape(), in[1].Shape())
	case len(m.codes) > 0 && (len(m.codes[0]) != codes.width || len(m.factors[0]) != factors.width):
		return fmt.Errorf("code and factors have %d and %d columns, those before had %d and %d",
			codes.width, factors.width, len(m.codes[0]), len(m.factors[0]))
	}
	for i := range codes.n {
		m.codes = append(m.codes, slices.Clone(codes.rows(i, i+1)))
		m.factors = append(m.factors, slices.Clone(factors.rows(i, i+1)))
	}
	return nil
}

// column returns column j of rows.
func column(rows [][]float64, j int) []float64 {
	c := make([]float64, len(rows))
	for i, r := range rows {
		c[i] = r[j]
	}
	return c
}

// classes numbers the different values of x from 0, in their order, and returns how many there are.
func classes(x []float64) (class []int, n int) {
	values := slices.Compact(slices.Sorted(slices.Values(x)))
	class = make([]int, len(x))
	for i, v := range x {
		class[i], _ = slices.BinarySearch(values, v)
	}
	return class, len(values)
}

// bins numbers the values of x by n bins of the same width between the smallest and the largest.
func bins(x []float64, n int) []int {
	from, to := slices.Min(x), slices.Max(x)
	b := make([]int, len(x))
	for i, v := range x {
		if to > from {
			b[i] = min(int((v-from)/(to-from)*float64(n)), n-1)
		}
	}
	return b
}

// entropy returns that of class, numbers below n, in nats.
func entropy(class []int, n int) float64 {
	count := make([]float64, n)
	for _, c := range class {
		count[c]++
	}
	h := 0.0
	for _, c := range count {
		if c > 0 {
			p := c / float64(len(class))
			h -= p * math.Log(p)
		}
	}
	return h
}

// mutualInformation returns that of a, numbers below na, and b, numbers below nb, in nats.
func mutualInformation(a []int, na int, b []int, nb int) float64 {
	both := make([]int, len(a))
	for i := range a {
		both[i] = a[i]*nb + b[i]
	}
	return entropy(a, na) + entropy(b, nb) - entropy(both, na*nb)
}

// standardized returns x with mean 0 and variance 1, or zeros where it does not vary.
func standardized(x []float64) []float64 {
	mean, variance := moments(x)
	s := make([]float64, len(x))
	if variance > 0 {
		for i, v := range x {
			s[i] = (v - mean) / math.Sqrt(variance)
		}
	}
	return s
}

// moments returns the mean and the variance (over len(x)) of x.
func moments(x []float64) (mean, variance float64) {
	for _, v := range x {
		mean += v
	}
	mean /= float64(len(x))
	for _, v := range x {
		variance += (v - mean) * (v - mean)
	}
	return mean, variance / float64(len(x))
}
