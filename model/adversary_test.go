package model

import (
	"math"
	"slices"
	"strings"
	"testing"

	"aetrain/graph"
)

const tinyJudge = "[model.adversaries.latent]\nlayers = [{ layer = \"dense\", units = [6, 4], activation = \"tanh\" }]\n"

func init() {
	encoder := "latent_dim = 3\nencoder = [{ layer = \"dense\", units = 5, activation = \"tanh\" }]\n"
	small["aae"] = encoder + tinyJudge
	small["wae-gan"] = encoder + tinyJudge
	small["factor-vae"] = encoder + strings.ReplaceAll(tinyJudge, "latent", "factor")
	small["vae-gan"] = `latent_dim = 3
encoder = [{ layer = "conv2d", filters = 2, kernel = 3, stride = 2, padding = "same", activation = "tanh" }]
[model.adversaries.image]
layers = [
  { layer = "conv2d", name = "features", filters = 2, kernel = 3, stride = 2, padding = "same", norm = "batch", activation = "tanh" },
  { layer = "dense", units = 3, activation = "tanh" },
]
`
	small["vae-gan"] = strings.Replace(small["vae-gan"], "  { layer = \"dense\"", "  { layer = \"flatten\" },\n  { layer = \"dense\"", 1)
}

// Algorithm 1 of the adversarial autoencoder: three updates, of the autoencoder, the discriminator and the encoder alone.
func TestPhasesOfAAE(t *testing.T) {
	m := build(t, "[model]\npreset = \"aae\"\n"+small["aae"]+"weight = 0.5\noptimizer = { learning_rate = 1e-4 }\n", 6)
	if m.Phases() != 3 {
		t.Fatalf("there are %d phases, want 3", m.Phases())
	}
	for phase, want := range []struct{ name, optimizer, terms, under string }{
		{"autoencoder", "", "reconstruction", "encoder decoder"},
		{"discriminator", "adversaries.latent", "adversary.latent", "adversaries.latent"},
		{"encoder", "", "adversary.latent.fool", "encoder"},
	} {
		fn, err := m.TrainPhase(4, phase)
		if err != nil {
			t.Fatal(err)
		}
		l := fn.Losses[0]
		var terms []string
		for _, term := range fn.Terms {
			terms = append(terms, term.Name)
		}
		if len(fn.Losses) != 1 || l.Name != want.name || l.Optimizer != want.optimizer || strings.Join(terms, " ") != want.terms {
			t.Errorf("phase %d: loss %s by %q of %v", phase, l.Name, l.Optimizer, terms)
		}
		for _, p := range l.Parameters(fn.Graph) {
			if !slices.ContainsFunc(strings.Fields(want.under), func(u string) bool { return Under(p.Name, u) }) {
				t.Errorf("phase %d trains %s", phase, p.Name)
			}
		}
		if decodes := slices.ContainsFunc(fn.Graph.States(), func(s *graph.State) bool { return Under(s.Name, "decoder") }); decodes != (phase == 0) {
			t.Errorf("phase %d: the decoder's part in it is wrong", phase)
		}
		if (phase == 1) == fn.Loss.Valid() {
			t.Errorf("phase %d: the autoencoder's loss is there: %v", phase, fn.Loss.Valid())
		}
	}
	fn, err := m.Evaluate(4, 0)
	if err != nil {
		t.Fatal(err)
	}
	fed := feed(fn, 3)
	want := mean(evaluate(t, fed, term(t, fn, "reconstruction"))) + 0.5*mean(evaluate(t, fed, term(t, fn, "adversary.latent.fool")))
	if got := number(t, fed, fn.Loss); !close(got, want, 1e-9) {
		t.Errorf("the loss is %v, want %v", got, want)
	}
}

func term(t *testing.T, fn *Function, name string) graph.Value {
	t.Helper()
	for _, n := range fn.Terms {
		if n.Name == name {
			return n.Value
		}
	}
	t.Fatalf("there is no term %s among %v", name, fn.Terms)
	return graph.Value{}
}

// Algorithm 1 of VAE-GAN: three losses of one phase; the features' error trains encoder and decoder, with weights of their own.
func TestLossesOfVAEGAN(t *testing.T) {
	m := build(t, "[model]\npreset = \"vae-gan\"\n"+small["vae-gan"], 1, 6, 6)
	fn, err := m.Train(4)
	if err != nil || m.Phases() != 1 {
		t.Fatalf("%d phases: %v", m.Phases(), err)
	}
	fed := feed(fn, 3)
	value := func(name string) float64 { return mean(evaluate(t, fed, term(t, fn, name))) }
	recon, kl, own, fool := value("reconstruction"), value("kl"), value("adversary.image"), value("adversary.image.fool")
	want := map[string]float64{"encoder": recon + kl, "decoder": 1e-3*recon + fool, "discriminator": own}
	for _, l := range fn.Losses {
		if got := number(t, fed, l.Value); !close(got, want[l.Name], 1e-9) {
			t.Errorf("%s is %v, want %v", l.Name, got, want[l.Name])
		}
		for _, p := range l.Parameters(fn.Graph) {
			if under := map[string]string{"encoder": "encoder", "decoder": "decoder", "discriminator": "adversaries.image"}[l.Name]; !Under(p.Name, under) {
				t.Errorf("%s trains %s", l.Name, p.Name)
			}
		}
	}
	if got := number(t, fed, fn.Loss); !close(got, recon+kl+fool, 1e-9) {
		t.Errorf("the loss is %v, want each term once, %v", got, recon+kl+fool)
	}
	j := fn.Forward.judge("image")
	if len(j.fakes) != 2 {
		t.Errorf("%d kinds of fakes, want reconstructions and decoded draws from the prior", len(j.fakes))
	}
	real, fake := evaluate(t, fed, j.real.layers["features"]), evaluate(t, fed, j.fakes[0].layers["features"])
	half := 0.0
	for i, x := range real.Data {
		half += (x - fake.Data[i]) * (x - fake.Data[i]) / 2
	}
	if !close(recon*4, half, 1e-9) {
		t.Errorf("reconstruction is %v, want half the squared error of the features, %v", recon, half/4)
	}
}

// The losses of discriminators, of logits that are known: a linear discriminator with weight w and bias b.
func TestDiscriminatorLosses(t *testing.T) {
	softplus := func(x float64) float64 { return math.Log1p(math.Exp(x)) }
	for loss, want := range map[string]struct {
		own, fool func(real, fake float64) float64
	}{
		"bce":         {func(r, f float64) float64 { return softplus(-r) + softplus(f) }, func(_, f float64) float64 { return softplus(-f) }},
		"hinge":       {func(r, f float64) float64 { return max(0, 1-r) + max(0, 1+f) }, func(_, f float64) float64 { return -f }},
		"wasserstein": {func(r, f float64) float64 { return f - r }, func(_, f float64) float64 { return -f }},
	} {
		m := build(t, "[model]\nlatent_dim = 2\nencoder = []\n[model.adversaries.a]\nlayers = []\ngradient_penalty = 3.0\nloss = \""+loss+"\"\n", 5)
		fn, err := m.Train(3)
		if err != nil {
			t.Fatal(err)
		}
		fed := feed(fn, 2)
		j := fn.Forward.judge("a")
		real, fake := evaluate(t, fed, j.real.logits), evaluate(t, fed, j.fakes[0].logits)
		own, fool := evaluate(t, fed, term(t, fn, "adversary.a")), evaluate(t, fed, term(t, fn, "adversary.a.fool"))
		w := fed["adversaries.a.output.weight"].Data
		slope := math.Hypot(w[0], w[1]) - 1 // of a linear discriminator, everywhere
		for i := range real.Data {
			wantOwn := want.own(real.Data[i], fake.Data[i]) + 3*slope*slope
			if !close(own.Data[i], wantOwn, 1e-6) || !close(fool.Data[i], want.fool(real.Data[i], fake.Data[i]), 1e-9) {
				t.Errorf("%s: example %d: %v and %v, want %v and %v", loss, i, own.Data[i], fool.Data[i], wantOwn, want.fool(real.Data[i], fake.Data[i]))
			}
		}
	}
}

// A permuted code has the same numbers in each dimension, and other neighbours.
func TestPermutedCodes(t *testing.T) {
	m := build(t, "[model]\npreset = \"factor-vae\"\n"+small["factor-vae"], 6)
	fn, err := m.Train(16)
	if err != nil {
		t.Fatal(err)
	}
	fed := feed(fn, 5)
	j := fn.Forward.judge("factor")
	z, permuted := evaluate(t, fed, j.fakes[0].input), evaluate(t, fed, j.real.input)
	moved := false
	for d := range 3 {
		var a, b []float64
		for i := range 16 {
			a, b = append(a, z.Data[i*3+d]), append(b, permuted.Data[i*3+d])
		}
		moved = moved || !slices.Equal(a, b)
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(a, b) {
			t.Errorf("dimension %d has other numbers", d)
		}
	}
	if !moved || slices.Equal(z.Data, permuted.Data) {
		t.Error("nothing was permuted")
	}
}

// Adversaries and the terms of other parts compose: a plain loss takes all, the discriminator gets one of its own.
func TestAdversaryBesideOtherParts(t *testing.T) {
	m := build(t, "[model]\npreset = \"beta-vae\"\nlatent_dim = 2\n[model.adversaries.image]\non = \"output\"\nevery_steps = 3\nlayers = [{ layer = \"dense\", units = 4, spectral_norm = true }]\n", 1, 4, 4)
	fn, err := m.Train(2)
	if err != nil {
		t.Fatal(err)
	}
	if len(fn.Losses) != 2 || fn.Losses[0].Name != "adversary.image" || fn.Losses[0].EverySteps != 3 || fn.Losses[1].Name != "loss" || fn.Losses[1].EverySteps != 1 {
		t.Errorf("losses are %v", fn.Losses)
	}
	for _, p := range fn.Losses[1].Parameters(fn.Graph) {
		if Under(p.Name, "adversaries") {
			t.Errorf("the model's loss trains %s", p.Name)
		}
	}
	if params := fn.Losses[0].Parameters(fn.Graph); len(params) != 4 {
		t.Errorf("the discriminator has %d parameters", len(params))
	}
	c := read(t, "[model]\npreset = \"aae\"\n[model.adversaries.latent]\nenabled = false\n")
	if len(c.Adversaries) != 0 || len(c.Losses) != 1 || len(c.Losses["autoencoder"].Terms) != 2 {
		t.Errorf("without its adversary the preset has %v and %v", c.Adversaries, c.Losses)
	}
}

func TestAdversaryMistakes(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unknown adversary", "[model]\npreset = \"vae-gan\"\nencoder = []\n[model.reconstruction]\nadversary = \"imag\"\n", "t.toml:4: model.reconstruction: there is no [model.adversaries.imag]; did you mean image?"},
		{"unknown feature", "[model]\npreset = \"vae-gan\"\n[model.reconstruction]\nfeature = \"featurs\"\n", "t.toml:3: model.reconstruction: no layer of model.adversaries.image is called \"featurs\"; did you mean features?: there are features"},
		{"layer that does not fit", "[model]\npreset = \"aae\"\n[model.adversaries.latent]\nlayers = [{ layer = \"max_pool2d\" }]\n", "t.toml:4: model.adversaries.latent.layers[0] (max_pool2d): it works on images, its input is 8: add { layer = \"reshape\", shape = [channels, height, width] } before it"},
		{"shuffled images", "[model]\n[model.adversaries.a]\non = \"output\"\nagainst = \"permuted\"\n", "t.toml:4: model.adversaries.a.against: only codes can be permuted: set on = \"latent\", or leave against out"},
		{"encoder that helps", "[model]\npreset = \"aae\"\n[model.losses.discriminator]\ntrains = [\"encoder\"]\n", "t.toml:4: model.losses.discriminator.trains: adversary.latent is for the discriminator alone: trains = [\"adversaries.latent\"]"},
		{"a phase left out", "[model]\npreset = \"aae\"\n[model.losses.encoder]\nphase = 3\n", "t.toml:3: model.losses: phase 2 has no loss: phases are numbered from 0 without gaps"},
	} {
		if got := sentence(c.text, 1, 8, 8); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}
