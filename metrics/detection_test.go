package metrics

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"gorgonia.org/tensor"
)

// detectionGolden is testdata/detection.json, which detection.py beside it made with SciPy and scikit-learn.
type detectionGolden struct {
	Detection []struct {
		Scores            []float64
		Positive          []bool
		ROCAUC            float64 `json:"roc_auc"`
		PRAUC             float64 `json:"pr_auc"`
		Threshold         float64
		Precision, Recall float64
		F1                float64
		BestF1            float64 `json:"best_f1"`
		BestThreshold     float64 `json:"best_threshold"`
	}
	Pareto []struct {
		Excesses      []float64
		LogLikelihood float64 `json:"log_likelihood"`
		Exceeded      float64
	}
	Rankings []struct {
		K, Items               int
		Scores, Seen, Relevant []float64
		NDCG, Recall           float64
	}
}

func readDetection(t *testing.T) detectionGolden {
	t.Helper()
	b, err := os.ReadFile("testdata/detection.json")
	if err != nil {
		t.Fatal(err)
	}
	var g detectionGolden
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func TestDetection(t *testing.T) {
	for i, g := range readDetection(t).Detection {
		flagged := make([]bool, len(g.Scores))
		for k, s := range g.Scores {
			flagged[k] = s > g.Threshold
		}
		d := Detect(flagged, g.Positive)
		threshold, f1 := BestF1(g.Scores, g.Positive)
		if threshold != g.BestThreshold && f1 < g.BestF1 {
			t.Errorf("case %d: the best threshold is %v, want %v", i, threshold, g.BestThreshold)
		}
		for _, c := range []struct {
			name      string
			got, want float64
		}{
			{"roc auc", ROCAUC(g.Scores, g.Positive), g.ROCAUC}, {"pr auc", PRAUC(g.Scores, g.Positive), g.PRAUC},
			{"quantile", Quantile(g.Scores, 0.9), g.Threshold},
			{"precision", d.Precision, g.Precision}, {"recall", d.Recall, g.Recall}, {"f1", d.F1, g.F1}, {"best f1", f1, g.BestF1},
		} {
			if math.Abs(c.got-c.want) > 1e-12 {
				t.Errorf("case %d: %s is %v, want %v", i, c.name, c.got, c.want)
			}
		}
	}
}

// Where one class is missing there is no curve.
func TestDetectionOfOneClass(t *testing.T) {
	scores := []float64{1, 2, 3}
	none, all := make([]bool, 3), []bool{true, true, true}
	if v := ROCAUC(scores, none); !math.IsNaN(v) {
		t.Errorf("roc auc without positives is %v", v)
	}
	if v := ROCAUC(scores, all); !math.IsNaN(v) {
		t.Errorf("roc auc without negatives is %v", v)
	}
	if v := PRAUC(scores, none); !math.IsNaN(v) {
		t.Errorf("pr auc without positives is %v", v)
	}
	if threshold, _ := BestF1(scores, none); !math.IsNaN(threshold) {
		t.Errorf("the best threshold without positives is %v", threshold)
	}
	if v := PRAUC(scores, all); v != 1 {
		t.Errorf("pr auc of positives alone is %v", v)
	}
	if v := Quantile(nil, 0.5); !math.IsNaN(v) {
		t.Errorf("the median of nothing is %v", v)
	}
}

// The likelihood is at least that of SciPy's search, and the tail is the same.
func TestPareto(t *testing.T) {
	for i, g := range readDetection(t).Pareto {
		p, err := FitPareto(g.Excesses)
		if err != nil {
			t.Fatal(err)
		}
		if p.LogLikelihood < g.LogLikelihood-1e-6 {
			t.Errorf("case %d: log-likelihood %v, want %v", i, p.LogLikelihood, g.LogLikelihood)
		}
		if got := p.Exceeded(1e-3); math.Abs(got-g.Exceeded) > 1e-3*g.Exceeded {
			t.Errorf("case %d: one in a thousand exceeds %v, want %v", i, got, g.Exceeded)
		}
	}
	if _, err := FitPareto([]float64{1, 2, 3}); err == nil {
		t.Error("three excesses are enough")
	}
	if _, err := FitPareto([]float64{1, 2, 3, 4, 0}); err == nil {
		t.Error("an excess of 0 is taken")
	}
}

func TestRankings(t *testing.T) {
	for i, g := range readDetection(t).Rankings {
		users := len(g.Scores) / g.Items
		shaped := func(v []float64) *tensor.Dense {
			return array{Shape: []int{users, g.Items}, Data: v}.dense()
		}
		n, r := &Ranking{K: g.K, gain: ndcg}, &Ranking{K: g.K, gain: recall}
		for _, m := range []*Ranking{n, r} {
			if err := m.Update(shaped(g.Scores), shaped(g.Seen), shaped(g.Relevant)); err != nil {
				t.Fatal(err)
			}
		}
		if math.Abs(n.Value()-g.NDCG) > 1e-12 || math.Abs(r.Value()-g.Recall) > 1e-12 {
			t.Errorf("case %d: ndcg %v, recall %v; want %v, %v", i, n.Value(), r.Value(), g.NDCG, g.Recall)
		}
	}
	m, err := Make("ndcg@100")
	if err != nil || !m.LargerIsBetter() || !math.IsNaN(m.Value()) {
		t.Errorf("ndcg@100: %v, %v", m, err)
	}
	two := array{Shape: []int{1, 2}, Data: []float64{1, 2}}.dense()
	if err := m.Update(two, two, array{Shape: []int{1, 3}, Data: []float64{1, 2, 3}}.dense()); err == nil {
		t.Error("arrays of other widths are taken")
	}
}
