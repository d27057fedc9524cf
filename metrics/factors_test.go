package metrics

import (
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"
)

func TestFactorsAsScikitLearn(t *testing.T) {
	g := readGolden(t).Factors
	codes, factors := g.Codes.dense(), g.Factors.dense()
	for name, want := range g.Values {
		m := mustMake(t, name)
		for _, rows := range [][2]int{{0, 120}, {120, 300}} {
			if err := m.Update(part(t, codes, rows), part(t, factors, rows)); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		near(t, name, []float64{m.Value()}, []float64{want}, 1e-6) // the lasso stops at steps of 1e-7
	}
}

func mustMake(t *testing.T, name string) Metric {
	t.Helper()
	m, err := Make(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Codes that are the factors themselves are as good as can be; codes that know nothing, and codes that mix all, are not.
func TestFactorScoresTellCodesApart(t *testing.T) {
	const n, k = 3000, 4
	random := rand.New(rand.NewPCG(7, 7))
	factors := make([]float64, n*k)
	for i := range factors {
		factors[i] = float64(random.IntN(5 + i%k))
	}
	mix := make([]float64, k*k)
	for i := range mix {
		mix[i] = random.NormFloat64()
	}
	codes := map[string][]float64{"same": make([]float64, n*k), "noise": make([]float64, n*k), "mixed": make([]float64, n*k)}
	for i := range n {
		for j := range k {
			at := i*k + j
			codes["same"][at] = 3*factors[at] - 1
			codes["noise"][at] = random.NormFloat64()
			for l := range k {
				codes["mixed"][at] += mix[j*k+l] * factors[i*k+l]
			}
		}
	}
	within := map[string]map[string][2]float64{
		"same":  {"mig": {0.95, 1}, "factor-vae-score": {1, 1}, "disentanglement": {0.95, 1}, "completeness": {0.95, 1}, "informativeness": {0.99, 1}},
		"noise": {"mig": {0, 0.02}, "factor-vae-score": {0.1, 0.45}, "informativeness": {0, 0.02}},
		"mixed": {"mig": {0, 0.4}, "disentanglement": {0, 0.6}, "completeness": {0, 0.6}, "informativeness": {0.9, 1}},
	}
	for kind, scores := range within {
		for name, want := range scores {
			m := mustMake(t, name)
			if err := m.Update(tensor.New(tensor.WithShape(n, k), tensor.WithBacking(codes[kind])), tensor.New(tensor.WithShape(n, k), tensor.WithBacking(factors))); err != nil {
				t.Fatal(err)
			}
			if got := m.Value(); !(got >= want[0] && got <= want[1]) {
				t.Errorf("%s of %s codes is %.3f, want %v to %v", name, kind, got, want[0], want[1])
			}
		}
	}
}

// Codes that do not vary, factors that do not vary and no examples at all have no score.
func TestFactorScoresOfNothing(t *testing.T) {
	for _, name := range []string{"mig", "factor-vae-score", "disentanglement", "completeness", "informativeness"} {
		m := mustMake(t, name)
		if got := m.Value(); !math.IsNaN(got) {
			t.Errorf("%s of no example is %v", name, got)
		}
		constant := tensor.New(tensor.WithShape(4, 1), tensor.WithBacking([]float64{2, 2, 2, 2}))
		if err := m.Update(constant, constant); err != nil {
			t.Fatal(err)
		}
		if got := m.Value(); !math.IsNaN(got) {
			t.Errorf("%s of factors that do not vary is %v", name, got)
		}
		if err := m.Update(constant, tensor.New(tensor.WithShape(3, 1), tensor.WithBacking([]float64{1, 2, 3}))); err == nil {
			t.Errorf("%s takes codes and factors of different examples", name)
		}
		if err := m.Update(constant, tensor.New(tensor.WithShape(4, 2), tensor.WithBacking(make([]float64, 8)))); err == nil {
			t.Errorf("%s takes another number of factors", name)
		}
	}
}
