package infer

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/graph"
	"aetrain/metrics"
	"aetrain/model"
)

const warmupVAE = tinyVAE + `
[model.penalties.kl]
beta = { from = 0.0, to = 4.0, epochs = 10 }
[model.corruption]
kind = "masking"
ratio = 0.3
`

const sparseAE = tinyAE + `
[model.reconstruction]
reduction = "mean"
[model.penalties.l1]
weight = 0.1
[model.penalties.decay]
weight = 0.01
`

const iwae = `
[model]
preset = "vae"
latent_dim = 2
encoder = [{ layer = "dense", units = 4, activation = "tanh" }]
[model.bottleneck]
kind = "gaussian"
bound = "iwae"
samples = 3
`

// Evaluate against the float64 definition of the whole source at once: 7 examples are batches of 3, 3 and 1.
func TestEvaluate(t *testing.T) {
	masked := noise(7, 6).with("mask", 7, graph.U8(6), coin)
	for name, c := range map[string]struct {
		text string
		src  *table
	}{
		"vae, schedule at its end": {warmupVAE, noise(7, 6)},
		"penalties":                {sparseAE, noise(7, 6)},
		"batch norm":               {convVAE, noise(7, 1, 6, 5)},
		"iwae":                     {iwae, noise(7, 6)},
		"mask":                     {tinyAE, masked},
	} {
		t.Run(name, func(t *testing.T) {
			m := live(t, c.text, c.src, 3)
			const repetition = 2
			fn, err := m.model.Evaluate(7, 0)
			if err != nil {
				t.Fatal(err)
			}
			names := []string{"loss"}
			values := []graph.Value{fn.Loss}
			for _, n := range append(append([]model.Named(nil), fn.Terms...), fn.Metrics...) {
				names, values = append(names, n.Name), append(values, n.Value)
			}
			want := reference(t, m, fn, c.src, repetition, values...)
			got, err := m.Evaluate(context.Background(), c.src, EvaluateOptions{Repetition: repetition})
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(names) {
				t.Errorf("figures are %v, want %v", got, names)
			}
			for i, n := range names {
				if w := mean(want[i].Data); !near(got[n], w, 1e-5) {
					t.Errorf("%s is %v, want %v", n, got[n], w)
				}
			}
			again, err := m.Evaluate(context.Background(), c.src, EvaluateOptions{Repetition: repetition})
			if err != nil || fmt.Sprint(again) != fmt.Sprint(got) {
				t.Errorf("again: %v (%v), before: %v", again, err, got)
			}
			whole := New(m.model, m.backend, m.state, Options{Batch: 7, Seed: 42})
			defer whole.Close()
			one, err := whole.Evaluate(context.Background(), c.src, EvaluateOptions{Repetition: repetition})
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range names {
				if !near(one[n], got[n], 1e-6) {
					t.Errorf("%s is %v in one batch, %v in three", n, one[n], got[n])
				}
			}
		})
	}
}

func TestEvaluateOptions(t *testing.T) {
	ctx := context.Background()
	src := noise(7, 6)
	m := live(t, tinyVAE, src, 3)
	all, err := m.Evaluate(ctx, src, EvaluateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	other, err := m.Evaluate(ctx, src, EvaluateOptions{Repetition: 1})
	if err != nil {
		t.Fatal(err)
	}
	if all["kl"] != other["kl"] || all["reconstruction"] == other["reconstruction"] {
		t.Errorf("another repetition draws other codes of the same posterior: %v, %v", all, other)
	}
	few, err := m.Evaluate(ctx, src, EvaluateOptions{Limit: 4})
	if err != nil {
		t.Fatal(err)
	}
	four := &table{src.fields, []*tensor.Dense{backend.Rows(src.values[0], 0, 4)}}
	same, err := m.Evaluate(ctx, four, EvaluateOptions{})
	if err != nil || fmt.Sprint(few) != fmt.Sprint(same) {
		t.Errorf("the first four: %v, four alone: %v (%v)", few, same, err)
	}
	var seen []int
	if _, err := m.Evaluate(ctx, src, EvaluateOptions{Progress: func(done, total int) { seen = append(seen, done, total) }}); err != nil {
		t.Fatal(err)
	}
	if want := []int{3, 7, 6, 7, 7, 7}; fmt.Sprint(seen) != fmt.Sprint(want) {
		t.Errorf("progress is %v, want %v", seen, want)
	}
}

// Metrics over reconstructions: of one code an example, of several, and of stored bytes.
func TestMetrics(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		text string
		src  *table
	}{
		"one code":      {tinyVAE, noise(7, 6)},
		"three codes":   {iwae, noise(7, 6)},
		"stored images": {tinyVAE, (&table{}).with("x", 7, graph.U8(1, 3, 2), func(r *rand.Rand) float64 { return float64(r.IntN(256)) })},
	} {
		t.Run(name, func(t *testing.T) {
			m := live(t, c.text, c.src, 3)
			got, err := m.Evaluate(ctx, c.src, EvaluateOptions{Metrics: []string{"psnr", "mse", "mae", "explained_variance"}})
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range []string{"psnr", "mse", "mae", "explained-variance", "loss"} {
				if v, ok := got[n]; !ok || math.IsNaN(v) {
					t.Errorf("%s is %v (%v)", n, v, ok)
				}
			}
			fn, err := m.model.Evaluate(7, 0)
			if err != nil {
				t.Fatal(err)
			}
			out := reference(t, m, fn, c.src, 0, fn.Outputs["recon"], fn.Forward.Repeated(fn.Forward.X))
			mae := 0.0
			for i, r := range out[0].Data {
				mae += math.Abs(r-out[1].Data[i]) / float64(len(out[0].Data))
			}
			if !near(got["mae"], mae, 1e-5) {
				t.Errorf("mae is %v, want %v", got["mae"], mae)
			}
		})
	}
}

func TestMetricNames(t *testing.T) {
	names := MetricNames()
	for _, n := range names {
		if _, _, err := extraMetrics([]string{n}); err != nil {
			t.Error(err)
		}
		if metrics.DirectionOf(n) == metrics.None {
			t.Errorf("%s: nobody knows which way is better", n)
		}
	}
	if len(names) < 5 {
		t.Errorf("only %v", names)
	}
}

// Codes and a field of the data are what scores of disentanglement take; data without that field is told so.
func TestEvaluateFactors(t *testing.T) {
	src := noise(40, 6)
	src = src.with("factors", 40, graph.F32(2), func(r *rand.Rand) float64 { return float64(r.IntN(3)) })
	for _, text := range []string{tinyVAE, tinyAE} {
		m := live(t, text, src, 16)
		got, err := m.Evaluate(context.Background(), src, EvaluateOptions{Metrics: []string{"mig", "informativeness", "psnr"}})
		if err != nil {
			t.Fatal(err)
		}
		if r2 := got["informativeness"]; !(r2 >= 0 && r2 < 0.6) || !(got["mig"] >= 0 && got["mig"] < 0.6) {
			t.Errorf("untrained codes know factors that are drawn apart from them: %v", got)
		}
	}
	m := live(t, tinyVAE, noise(7, 6), 3)
	if _, err := m.Evaluate(context.Background(), noise(7, 6), EvaluateOptions{Metrics: []string{"mig"}}); err == nil || !strings.Contains(err.Error(), "factors") {
		t.Errorf("data without factors: %v", err)
	}
}
