package infer

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"aetrain/graph"
	"aetrain/metrics"
)

// Recommendations are judged by the reconstruction of the clean input, whatever noise training and evaluation put on it.
func TestRankingIsOfCleanInput(t *testing.T) {
	src := &table{}
	const items = 120
	src.with("x", 40, graph.F32(items), func(r *rand.Rand) float64 { return math.Floor(r.Float64() + 0.2) })
	src.with("target", 40, graph.F32(items), func(r *rand.Rand) float64 { return math.Floor(r.Float64() + 0.1) })
	m := live(t, "[model]\npreset = \"mult-vae\"\nlatent_dim = 3\nencoder = [{ layer = \"dense\", units = 8, activation = \"tanh\" }]\n", src, 16)
	got, err := m.Evaluate(context.Background(), src, EvaluateOptions{Metrics: []string{"ndcg@100", "recall@20"}})
	if err != nil {
		t.Fatal(err)
	}
	recon, err := m.Reconstruct(context.Background(), src.values[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ndcg@100", "recall@20"} {
		want, _ := metrics.Make(name)
		if err := want.Update(recon, src.values[0], src.values[1]); err != nil {
			t.Fatal(err)
		}
		if math.Abs(got[name]-want.Value()) > 1e-12 || !(want.Value() > 0) {
			t.Errorf("%s is %v, want %v", name, got[name], want.Value())
		}
	}
	if _, err := m.Evaluate(context.Background(), noise(5, items), EvaluateOptions{Metrics: []string{"ndcg@100"}}); err == nil {
		t.Error("data without a target is judged")
	}
}
