package tasks

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestThresholds(t *testing.T) {
	hundred := make([]float64, 101)
	labels := make([]bool, 101)
	for i := range hundred {
		hundred[i] = float64(i)
		labels[i] = i >= 90
	}
	for _, c := range []struct {
		text string
		want float64
	}{
		{"quantile:0.95", 95}, {"quantile", 99}, {"contamination:0.1", 90}, {"contamination", 99}, {"best-f1", 89.5}, {"best_f1", 89.5}, {"fixed:12.5", 12.5}, {"fixed:0", 0},
	} {
		th, err := ParseThreshold(c.text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := th.fit(hundred, labels); err != nil || math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: got %v, %v; want %v", c.text, got, err, c.want)
		}
	}
	for text, want := range map[string]string{
		"quantil:0.9": "did you mean quantile?", "quantile:1.5": "a share below 1", "fixed": "fixed:12.5", "pot:x": "is not a number", "contamination:-0.1": "a share below 1",
	} {
		if _, err := ParseThreshold(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
	if _, err := (Threshold{Kind: bestF1}).fit(hundred, nil); err == nil || !strings.Contains(err.Error(), "labelled anomalies") {
		t.Errorf("best-f1 without labels: %v", err)
	}
}

// The threshold of peaks lies where the true law has the wanted risk, far beyond what has been seen.
func TestPeaksOverThreshold(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		name string
		draw func() float64
		want float64 // exceeded once in 100,000
	}{
		{"exponential", rng.ExpFloat64, math.Log(1e5)},
		{"normal", rng.NormFloat64, 4.2649},
		{"uniform", rng.Float64, 1},
		{"heavy", func() float64 { return math.Pow(rng.Float64(), -0.25) }, math.Pow(1e5, 0.25)},
	} {
		scores := make([]float64, 20000)
		for i := range scores {
			scores[i] = c.draw()
		}
		got, err := Threshold{Kind: pot, Value: 1e-5}.fit(scores, nil)
		if err != nil || math.Abs(got-c.want) > 0.15*c.want {
			t.Errorf("%s: got %v, %v; want about %v", c.name, got, err, c.want)
		}
	}
	if _, err := peaksOverThreshold(make([]float64, 50), 1e-3); err == nil || !strings.Contains(err.Error(), "at least 100") {
		t.Errorf("of few scores: %v", err)
	}
	if _, err := peaksOverThreshold(make([]float64, 500), 1e-3); err == nil || !strings.Contains(err.Error(), "no tail") {
		t.Errorf("of equal scores: %v", err)
	}
}
