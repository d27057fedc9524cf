package metrics

import "math"

func init() { metrics.Add("mig", func() Metric { return &MIG{Bins: 20} }) }

// MIG is the mutual information gap: for each factor, how much more the code unit that knows most of it knows than the next one,
// as a share of the factor's entropy; averaged over factors. 1 is a unit for each factor, 0 is factors spread over units. Factors
// that do not vary are left out.
// Source: Chen, Li, Grosse & Duvenaud 2018, "Isolating Sources of Disentanglement in VAEs", eq. 6. Mutual information is that of
// binned codes, as in Locatello et al. 2019, "Challenging Common Assumptions", appendix B.
type MIG struct {
	factorInputs
	Bins int // of each code unit, of one width
}

// Value returns the gap, NaN while there is no example or no factor that varies.
func (m *MIG) Value() float64 {
	if len(m.codes) == 0 {
		return math.NaN()
	}
	binned := make([][]int, len(m.codes[0]))
	for j := range binned {
		binned[j] = bins(column(m.codes, j), m.Bins)
	}
	var gap mean
	for k := range m.factors[0] {
		class, n := classes(column(m.factors, k))
		h := entropy(class, n)
		if n < 2 {
			continue
		}
		first, second := 0.0, 0.0
		for _, b := range binned {
			switch i := mutualInformation(b, m.Bins, class, n); {
			case i > first:
				first, second = i, first
			case i > second:
				second = i
			}
		}
		gap.add((first - second) / h)
	}
	return gap.value()
}

// LargerIsBetter returns true.
func (*MIG) LargerIsBetter() bool { return true }
