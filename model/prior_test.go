package model

import (
	"math"
	"strings"
	"testing"

	"aetrain/graph"
	"aetrain/op"
	"aetrain/prob"
)

func init() {
	small["vamp"] = "latent_dim = 3\nencoder = [{ layer = \"dense\", units = 5, activation = \"tanh\" }]\nprior.components = 4\n"
}

// The prior is the mixture of the posteriors of its pseudo-inputs, by the textbook.
func TestVampPrior(t *testing.T) {
	m := build(t, "[model]\npreset = \"vamp\"\nlatent_dim = 2\nencoder = [{ layer = \"dense\", units = 5, activation = \"tanh\" }]\nprior.components = 4\n", 6)
	fn, err := m.Train(3)
	if err != nil {
		t.Fatal(err)
	}
	fed := feed(fn, 3)
	p := fn.Forward.Latents[0].Prior.(prob.Mixture)
	mu, logVar, z := evaluate(t, fed, p.Mu), evaluate(t, fed, p.LogVar), evaluate(t, fed, fn.Forward.Code)
	got := evaluate(t, fed, op.SumPerExample(p.LogProb(fn.Forward.Code)))
	for i := range 3 {
		sum := 0.0
		for k := range 4 {
			log := 0.0
			for j := range 2 {
				log += logNormal(z.Data[2*i+j], mu.Data[2*k+j], logVar.Data[2*k+j])
			}
			sum += math.Exp(log) / 4
		}
		if !close(got.Data[i], math.Log(sum), 1e-9) {
			t.Errorf("log p(z) of %d is %v, want %v", i, got.Data[i], math.Log(sum))
		}
	}
	// what encode gives for a pseudo-input is its component
	enc, err := m.Encode(4)
	if err != nil {
		t.Fatal(err)
	}
	again := clone(fed)
	x := graph.NewTensor(graph.F32(4, 6))
	for i, u := range fed["prior.inputs"].Data {
		x.Data[i] = 1 / (1 + math.Exp(-u))
	}
	again["x"] = x
	codes := evaluate(t, again, enc.Forward.Latents[0].Posterior.Mean())
	for i := range codes.Data {
		if !close(codes.Data[i], mu.Data[i], 1e-9) {
			t.Errorf("component %d is %v, its pseudo-input's code %v", i, mu.Data[i], codes.Data[i])
		}
	}
	for text, want := range map[string]string{
		"preset = \"ae\"\nprior.kind = \"vamp\"\n":          "choose a gaussian bottleneck without a flow",
		"preset = \"iaf\"\nprior.kind = \"vamp\"\n":         "choose a gaussian bottleneck without a flow",
		"preset = \"vamp\"\nprior.components = 0\n":         "components",
		"preset = \"vamp\"\nprior.kind = \"vamb\"\n":        "did you mean vamp?",
		"preset = \"vamp\"\npenalties.kl.free_bits = 0.5\n": "closed form",
	} {
		c, err := tryRead("[model]\n" + text)
		if err == nil {
			_, err = New(c, []Field{{Name: FieldX, Spec: graph.F32(6)}})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// The density of each label stands at its own centre; what it cannot be of is refused.
func TestByLabel(t *testing.T) {
	const text = "[model]\nlatent_dim = 3\nencoder = [{ layer = \"dense\", units = 4 }]\n[model.condition]\non = [\"label\"]\ninto = [\"latent\"]\n[model.prior]\nkind = \"by-label\"\n[model.adversaries.latent]\nlayers = [{ layer = \"dense\", units = 4 }]\n"
	fields := []Field{{Name: FieldX, Spec: graph.F32(6)}, {Name: "label", Spec: graph.I32(), Classes: 4}}
	m, err := New(read(t, text), fields)
	if err != nil {
		t.Fatal(err)
	}
	fn, err := m.Train(4)
	if err != nil {
		t.Fatal(err)
	}
	fed := feed(fn, 2)
	copy(fed["label"].Data, []float64{0, 1, 3, 0})
	p := fn.Forward.Latents[0].Prior.(prob.Normal)
	want := []float64{4, 0, 0, 0, 4, 0, 0, -4, 0, 4, 0, 0}
	for i, v := range evaluate(t, fed, p.Mu).Data {
		if !close(v, want[i], 1e-12) {
			t.Errorf("number %d of the centres is %v, want %v", i, v, want[i])
		}
	}
	for old, c := range map[string][2]string{
		"on = [\"label\"]\ninto = [\"latent\"]": {"", "name it by [model.condition] on"},
		"latent_dim = 3":                        {"latent_dim = 1", "give it two numbers or more"},
		"into = [\"latent\"]":                   {"into = [\"latent\", \"decoder\"]\n[model.bottleneck]\nkind = \"top-k\"\nk = 1", "a deterministic or a gaussian bottleneck"},
	} {
		if _, err := New(read(t, strings.Replace(text, old, c[0], 1)), fields); err == nil || !strings.Contains(err.Error(), c[1]) {
			t.Errorf("%s: got %v, want %q", c[0], err, c[1])
		}
	}
}
