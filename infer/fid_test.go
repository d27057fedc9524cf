package infer

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"aetrain/metrics"
	"aetrain/model"
)

// FID is the Fréchet distance of the codes that the other model makes of the data and of samples.
func TestFID(t *testing.T) {
	ctx := context.Background()
	src := noise(40, 6)
	m, judge := live(t, tinyVAE, src, 16), live(t, tinyAE, src, 16)
	got, err := m.Evaluate(ctx, src, EvaluateOptions{Metrics: []string{"fid"}, Features: judge})
	if err != nil {
		t.Fatal(err)
	}
	x, err := Read(ctx, src, model.FieldX, 0)
	if err != nil {
		t.Fatal(err)
	}
	samples, err := m.Sample(ctx, 40, rand.NewPCG(m.options.Seed, 0).Uint64())
	if err != nil {
		t.Fatal(err)
	}
	var a, b metrics.Moments
	for sum, x := range map[*metrics.Moments]*tensor.Dense{&a: x, &b: samples} {
		z, err := judge.Encode(ctx, x)
		if err != nil {
			t.Fatal(err)
		}
		if err := sum.Add(z); err != nil {
			t.Fatal(err)
		}
	}
	want, err := metrics.FrechetDistance(&a, &b)
	if err != nil || !(want > 0) || math.Abs(got["fid"]-want) > 1e-6*want {
		t.Errorf("fid is %v, want %v (%v)", got["fid"], want, err)
	}
	if _, err := m.FID(ctx, src, live(t, tinyAE, noise(7, 5), 3), EvaluateOptions{}); err == nil || !strings.Contains(err.Error(), "takes") {
		t.Errorf("a network of other inputs: %v", err)
	}
	if _, err := m.Evaluate(ctx, src, EvaluateOptions{Metrics: []string{"fid"}}); err == nil {
		t.Error("no network of features: no error")
	}
}
