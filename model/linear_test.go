package model_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/configs"
	"aetrain/cpu"
	"aetrain/graph"
	"aetrain/metrics"
	"aetrain/model"
	"aetrain/optim"
	"aetrain/program"
)

// Sizes of the linear problems: examples, numbers each, numbers in a code.
const examples, features, latents = 400, 10, 3

// cloud is normal data with a covariance of its own: a few strong directions, noise in all, a mean that is not 0.
func cloud() *tensor.Dense {
	r := rand.New(rand.NewPCG(5, 5))
	mix := make([]float64, features*latents)
	for i := range mix {
		mix[i] = r.NormFloat64()
	}
	x := tensor.New(tensor.WithShape(examples, features), tensor.Of(tensor.Float32))
	data := x.Data().([]float32)
	for n := range examples {
		var z [latents]float64
		for j := range z {
			z[j] = r.NormFloat64() * []float64{1.5, 1, 0.7}[j]
		}
		for i := range features {
			v := 0.3*float64(i) + 0.3*r.NormFloat64()
			for j := range z {
				v += mix[i*latents+j] * z[j]
			}
			data[n*features+i] = float32(v)
		}
	}
	return x
}

// trained is a model after full-batch training on a device.
type trained struct {
	t     *testing.T
	b     backend.Backend
	m     *model.Model
	state backend.State
	x     *tensor.Dense
}

func fit(t *testing.T, text string, steps int, rate float64) *trained {
	t.Helper()
	cfg, err := configs.Load(configs.LoadOptions{File: "t.toml", Bytes: []byte(text), Presets: model.Presets(), DefaultPreset: model.DefaultPreset})
	if err != nil {
		t.Fatal(err)
	}
	c, err := model.Read(cfg)
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.New(c, []model.Field{{Name: model.FieldX, Spec: graph.F32(features)}})
	if err != nil {
		t.Fatal(err)
	}
	b, err := cpu.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	r := &trained{t: t, b: b, m: m, state: b.NewState(), x: cloud()}
	fn, err := m.Train(examples)
	if err != nil {
		t.Fatal(err)
	}
	l := fn.Losses[0]
	optim.Step(fn.Graph, []optim.Loss{{Name: l.Name, Value: l.Value, Params: l.Parameters(fn.Graph), Config: optim.Defaults()}},
		optim.Options{Counter: fn.Graph.Lookup(model.StateStep).Now})
	e := r.load(fn, map[string]graph.Value{"loss": fn.Loss})
	lr := b.Host(graph.F32())
	for step := range steps {
		lr.Data().([]float32)[0] = float32(rate * (1 + math.Cos(math.Pi*float64(step)/float64(steps))) / 2)
		if err := e.Feed(optim.InputLearningRate, lr); err != nil {
			t.Fatal(err)
		}
		if err := e.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// load compiles a function and feeds it the data; other inputs are 0.
func (r *trained) load(fn *model.Function, outputs map[string]graph.Value) backend.Executable {
	r.t.Helper()
	p, err := program.Compile(fn.Graph, outputs, r.b.Capabilities().Target)
	if err != nil {
		r.t.Fatal(err)
	}
	es, err := r.b.Load(r.state, backend.Options{Seed: 1}, p)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, in := range p.Inputs {
		value := r.b.Host(in.Spec)
		if in.Name == model.FieldX {
			value = r.x
		}
		if err := es[0].Feed(in.Name, value); err != nil {
			r.t.Fatal(err)
		}
	}
	return es[0]
}

// A linear autoencoder spans the subspace of the first principal components.
// Source: Baldi & Hornik 1989, "Neural networks and principal component analysis: Learning from examples without local minima".
func TestLinearAutoencoderSpansPCA(t *testing.T) {
	r := fit(t, "[model]\npreset = \"ae\"\nlatent_dim = 3\nencoder = []\n", 2500, 0.02)
	weight := r.b.Host(graph.F32(features, latents))
	if err := r.state.Read("decoder.0.weight", weight); err != nil {
		t.Fatal(err)
	}
	pca, err := metrics.FitPCA(r.x, latents)
	if err != nil {
		t.Fatal(err)
	}
	angles, err := metrics.PrincipalAngles(weight, pca.Subspace())
	if err != nil {
		t.Fatal(err)
	}
	degrees := angles[0] * 180 / math.Pi
	t.Logf("largest principal angle %.3g degrees", degrees)
	if !(degrees < 1) {
		t.Errorf("the largest principal angle is %.3g degrees, want less than 1", degrees)
	}
}

// A linear VAE with one learned variance reaches the likelihood of probabilistic PCA.
// Source: Lucas et al. 2019, "Don't Blame the ELBO! A Linear VAE Perspective on Posterior Collapse", section 4;
// Tipping & Bishop 1999, "Probabilistic Principal Component Analysis", eq. 8.
func TestLinearVAEReachesProbabilisticPCA(t *testing.T) {
	r := fit(t, `
[model]
preset = "vae"
latent_dim = 3
encoder = []
[model.bottleneck]
kind = "gaussian"
samples = 4
[model.reconstruction]
kind = "gaussian"
variance = "learned"
`, 3000, 0.05)
	fn, err := r.m.Evaluate(examples, 200)
	if err != nil {
		t.Fatal(err)
	}
	e := r.load(fn, map[string]graph.Value{"loss": fn.Loss})
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	loss := r.b.Host(graph.F32())
	if err := e.Fetch("loss", loss); err != nil {
		t.Fatal(err)
	}
	pca, err := metrics.FitPCA(r.x, latents)
	if err != nil {
		t.Fatal(err)
	}
	ppca, err := pca.Probabilistic(latents)
	if err != nil {
		t.Fatal(err)
	}
	got, want := -float64(loss.Data().([]float32)[0]), ppca.LogLikelihood
	t.Logf("ELBO %.4f, probabilistic PCA %.4f nats", got, want)
	if math.Abs(got-want) > 0.005*math.Abs(want) {
		t.Errorf("the ELBO is %.4f nats, probabilistic PCA has %.4f", got, want)
	}
}
