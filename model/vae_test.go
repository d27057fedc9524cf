package model

import (
	"math"
	"testing"

	"aetrain/graph"
	"aetrain/prob"
)

const tinyVAE = `
[model]
preset = "vae"
latent_dim = 3
encoder = [{ layer = "dense", units = 5, activation = "tanh" }]
`

// The whole loss by hand, from the same weights and the same noise.
func TestVAELoss(t *testing.T) {
	m := build(t, tinyVAE, 1, 2, 3)
	fn, err := m.Train(4)
	if err != nil {
		t.Fatal(err)
	}
	fed := feed(fn, 5)
	f := fn.Forward
	mu, logVar, z := evaluate(t, fed, fn.Forward.Latents[0].Mean()), evaluate(t, fed, logVarOf(f)), evaluate(t, fed, f.Code)
	p := evaluate(t, fed, f.Recon.Mean())
	x := fed["x"]
	bce, kl := 0.0, 0.0
	for i, v := range x.Data {
		bce -= (v*math.Log(p.Data[i]) + (1-v)*math.Log(1-p.Data[i])) / 4
	}
	for i := range mu.Data {
		kl += (math.Exp(logVar.Data[i]) + mu.Data[i]*mu.Data[i] - 1 - logVar.Data[i]) / 2 / 4
		if z.Data[i] == mu.Data[i] {
			t.Errorf("code %d is the mean: nothing was drawn", i)
		}
	}
	if got := number(t, fed, fn.Loss); !close(got, bce+kl, 1e-9) {
		t.Errorf("loss is %v, want %v", got, bce+kl)
	}
	for _, term := range fn.Terms {
		want := map[string]float64{"reconstruction": bce, "kl": kl}[term.Name]
		if got := mean(evaluate(t, fed, term.Value)); !close(got, want, 1e-9) {
			t.Errorf("%s is %v, want %v", term.Name, got, want)
		}
	}
}

func logVarOf(f *Forward) graph.Value { return f.Latents[0].Posterior.(prob.Normal).LogVar }

func mean(t graph.Tensor) float64 {
	sum := 0.0
	for _, v := range t.Data {
		sum += v
	}
	return sum / float64(len(t.Data))
}

func TestVAENames(t *testing.T) {
	m := build(t, "[model]\npreset = \"vae\"\nencoder = [{ layer = \"dense\", units = [4, 3], norm = \"batch\", activation = \"relu\" }]\n", 6)
	fn, err := m.Train(2)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"step": "scalar int32", "encoder.0.weight": "4x6", "encoder.0.bias": "4", "encoder.0.norm.weight": "4", "encoder.0.norm.bias": "4",
		"encoder.0.norm.running_mean": "4", "encoder.0.norm.running_var": "4", "encoder.1.weight": "3x4", "encoder.1.bias": "3",
		"encoder.1.norm.weight": "3", "encoder.1.norm.bias": "3", "encoder.1.norm.running_mean": "3", "encoder.1.norm.running_var": "3",
		"encoder.mu.weight": "20x3", "encoder.mu.bias": "20", "encoder.log_var.weight": "20x3", "encoder.log_var.bias": "20",
		"decoder.0.weight": "3x20", "decoder.0.bias": "3", "decoder.0.norm.weight": "3", "decoder.0.norm.bias": "3",
		"decoder.0.norm.running_mean": "3", "decoder.0.norm.running_var": "3",
		"decoder.1.weight": "4x3", "decoder.1.bias": "4", "decoder.1.norm.weight": "4", "decoder.1.norm.bias": "4",
		"decoder.1.norm.running_mean": "4", "decoder.1.norm.running_var": "4", "decoder.2.weight": "6x4", "decoder.2.bias": "6",
	}
	got := map[string]string{}
	for _, s := range fn.Graph.States() {
		got[s.Name] = s.Spec.String()
	}
	for name, spec := range want {
		if got[name] != spec {
			t.Errorf("%s is %q, want %q", name, got[name], spec)
		}
	}
	for name := range got {
		if want[name] == "" {
			t.Errorf("unexpected state %s", name)
		}
	}
}
