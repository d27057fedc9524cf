package metrics

import (
	"math"
	"math/rand/v2"
)

func init() {
	metrics.Add("factor-vae-score", func() Metric { return &FactorVAEScore{Votes: 800, Group: 64} })
}

// FactorVAEScore is how often the code unit that varies least among examples which share one factor's value tells which factor that
// was: the accuracy, on as many votes again, of the majority's choice for each unit. 1/K is chance with K factors, 1 is best.
// Groups are drawn with replacement from the examples that were seen, by a fixed seed.
// Source: Kim & Mnih 2018, "Disentangling by Factorising", section 4 (algorithm: figure 2).
type FactorVAEScore struct {
	factorInputs
	Votes int // groups that train the majority vote, and as many that judge it
	Group int // examples of a group
}

// deadVariance is the share of the largest unit's variance below which a unit counts as one that has collapsed to the prior.
const deadVariance = 1e-4

// Value returns the accuracy, NaN while no example was seen, or no factor or code varies.
func (m *FactorVAEScore) Value() float64 {
	if len(m.codes) == 0 {
		return math.NaN()
	}
	scale := m.variances()
	sets := m.valueSets()
	if scale == nil || len(sets) == 0 {
		return math.NaN()
	}
	random := rand.New(rand.NewPCG(1, 2))
	count := make([][]int, len(scale))
	for j := range count {
		count[j] = make([]int, len(sets))
	}
	for range m.Votes {
		k := random.IntN(len(sets))
		count[m.vote(sets[k], scale, random)][k]++
	}
	right := 0
	for range m.Votes {
		k := random.IntN(len(sets))
		if most(count[m.vote(sets[k], scale, random)]) == k {
			right++
		}
	}
	return float64(right) / float64(m.Votes)
}

// variances returns that of each code unit, 0 for those that hold nothing; nil where all are so.
func (m *FactorVAEScore) variances() []float64 {
	v, largest := make([]float64, len(m.codes[0])), 0.0
	for j := range v {
		_, v[j] = moments(column(m.codes, j))
		largest = max(largest, v[j])
	}
	if !(largest > 0) {
		return nil
	}
	for j := range v {
		if v[j] < deadVariance*largest {
			v[j] = 0
		}
	}
	return v
}

// valueSets lists, for each factor that varies, the examples of each of its values.
func (m *FactorVAEScore) valueSets() [][][]int {
	var sets [][][]int
	for k := range m.factors[0] {
		class, n := classes(column(m.factors, k))
		if n < 2 {
			continue
		}
		of := make([][]int, n)
		for i, c := range class {
			of[c] = append(of[c], i)
		}
		sets = append(sets, of)
	}
	return sets
}

// vote draws a value and a group of its examples and returns the live unit that varies least in it, beside its variance over all.
func (m *FactorVAEScore) vote(of [][]int, scale []float64, random *rand.Rand) int {
	examples := of[random.IntN(len(of))]
	group := make([][]float64, m.Group)
	for i := range group {
		group[i] = m.codes[examples[random.IntN(len(examples))]]
	}
	best, least := 0, math.Inf(1)
	for j, s := range scale {
		if s == 0 {
			continue
		}
		if _, v := moments(column(group, j)); v/s < least {
			best, least = j, v/s
		}
	}
	return best
}

// LargerIsBetter returns true.
func (*FactorVAEScore) LargerIsBetter() bool { return true }

// most returns the place of the largest count.
func most(count []int) int {
	best := 0
	for k, c := range count {
		if c > count[best] {
			best = k
		}
	}
	return best
}
