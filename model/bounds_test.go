package model

import (
	"math"
	"strings"
	"testing"

	"aetrain/graph"
	"aetrain/prob"
)

const iwaeText = `
[model]
preset = "vae"
latent_dim = 2
encoder = [{ layer = "dense", units = 4, activation = "tanh" }]
[model.bottleneck]
kind = "gaussian"
bound = "iwae"
samples = 5
`

// logNormal is the log-density of N(mu, exp(logVar)).
func logNormal(x, mu, logVar float64) float64 {
	return -(math.Log(2*math.Pi) + logVar + (x-mu)*(x-mu)*math.Exp(-logVar)) / 2
}

// The bound by hand: log-weights of five drawn codes, from the graph's codes and outputs.
func TestIWAEBound(t *testing.T) {
	const n, k, d = 3, 5, 2
	m := build(t, iwaeText, 6)
	fn, err := m.Train(n)
	if err != nil {
		t.Fatal(err)
	}
	fed := feed(fn, 2)
	f := fn.Forward
	q := f.Latents[0].Posterior.(prob.Normal)
	mu, logVar, z, p := evaluate(t, fed, q.Mu), evaluate(t, fed, q.LogVar), evaluate(t, fed, f.Code), evaluate(t, fed, f.Recon.Mean())
	if !z.Shape.Equal(graph.Shape{n * k, d}) || !p.Shape.Equal(graph.Shape{n * k, 6}) {
		t.Fatalf("codes are %v, outputs %v", z.Shape, p.Shape)
	}
	want, recons, kls := 0.0, 0.0, 0.0
	for i := range n {
		sum := 0.0
		for s := range k {
			row, recon, kl := i*k+s, 0.0, 0.0
			for j := range 6 {
				x, pj := fed["x"].Data[i*6+j], p.Data[row*6+j]
				recon -= x*math.Log(pj) + (1-x)*math.Log(1-pj)
			}
			for j := range d {
				zj := z.Data[row*d+j]
				kl += logNormal(zj, mu.Data[i*d+j], logVar.Data[i*d+j]) - logNormal(zj, 0, 0)
			}
			sum += math.Exp(-recon - kl)
			recons, kls = recons+recon/(n*k), kls+kl/(n*k)
		}
		want -= math.Log(sum/k) / n
	}
	if got := number(t, fed, fn.Loss); !close(got, want, 1e-9) {
		t.Errorf("loss is %v, want %v", got, want)
	}
	for _, term := range fn.Terms {
		v := evaluate(t, fed, term.Value)
		if want := map[string]float64{"reconstruction": recons, "kl": kls}[term.Name]; !close(mean(v), want, 1e-9) || !v.Shape.Equal(graph.Shape{n}) {
			t.Errorf("%s is %v (%v), want %v", term.Name, mean(v), v.Shape, want)
		}
	}
	checkGradient(t, m)
}

// More samples tighten the bound, and with one it is the sampled ELBO.
func TestBoundsTighten(t *testing.T) {
	m := build(t, iwaeText, 6)
	last := math.Inf(1)
	for _, k := range []int{1, 10, 200} {
		fn, err := m.Evaluate(40, k)
		if err != nil {
			t.Fatal(err)
		}
		got := number(t, feed(fn, 3), fn.Loss)
		t.Logf("%d samples: %.4f nats", k, got)
		if got > last-0.02 {
			t.Errorf("with %d samples the bound is %v, no tighter than with fewer, %v", k, got, last)
		}
		last = got
	}
	nll, err := m.NLL(40, 200)
	if err != nil {
		t.Fatal(err)
	}
	fed := feed(nll, 3)
	likelihood := evaluate(t, fed, nll.Outputs["log_likelihood"])
	if got := -mean(likelihood); math.Abs(got-last) > 0.05 {
		t.Errorf("nll is %v, the bound %v", got, last)
	}
	if w := nll.Outputs["log_weights"].Shape(); !w.Equal(graph.Shape{40, 200}) {
		t.Errorf("log_weights are %v", w)
	}
}

// One sample under iwae is the VAE's own bound: the same reconstructions of the same codes, and a divergence that is the closed form's
// in the mean over many examples.
func TestIWAEOfOneSampleIsTheVAE(t *testing.T) {
	const n = 20000
	terms := map[string][]graph.Tensor{}
	for _, bound := range []string{"iwae", "elbo"} {
		m := build(t, strings.NewReplacer("\"iwae\"", "\""+bound+"\"", "samples = 5", "samples = 1").Replace(iwaeText), 6)
		fn, err := m.Train(n)
		if err != nil {
			t.Fatal(err)
		}
		fed := feed(fn, 2)
		total := 0.0
		for _, term := range fn.Terms {
			v := evaluate(t, fed, term.Value)
			terms[term.Name] = append(terms[term.Name], v)
			total += mean(v)
		}
		if got := number(t, fed, fn.Loss); !close(got, total, 1e-9) {
			t.Errorf("%s: the loss is %v, its terms are %v together", bound, got, total)
		}
	}
	for i, v := range terms["reconstruction"][0].Data {
		if want := terms["reconstruction"][1].Data[i]; !close(v, want, 1e-9) {
			t.Fatalf("example %d: reconstruction %v, the VAE has %v", i, v, want)
		}
	}
	got, want, square := mean(terms["kl"][0]), mean(terms["kl"][1]), 0.0
	for i, v := range terms["kl"][0].Data {
		d := v - terms["kl"][1].Data[i]
		square += d * d / n
	}
	if spread := math.Sqrt(square / n); math.Abs(got-want) > 4*spread || !(spread > 0) {
		t.Errorf("log q(z|x) - log p(z) is %v in the mean, give or take %v; the VAE's divergence is %v", got, spread, want)
	}
}

// Several samples under the elbo: the mean over them, with the divergence in closed form.
func TestELBOOfSeveralSamples(t *testing.T) {
	m := build(t, "[model]\npreset = \"vae\"\nlatent_dim = 2\nencoder = []\n[model.bottleneck]\nkind = \"gaussian\"\nsamples = 3\n", 4)
	fn, err := m.Train(2)
	if err != nil {
		t.Fatal(err)
	}
	fed := feed(fn, 6)
	want := 0.0
	for _, term := range fn.Terms {
		want += mean(evaluate(t, fed, term.Value))
	}
	if got := number(t, fed, fn.Loss); !close(got, want, 1e-9) {
		t.Errorf("loss is %v, want %v", got, want)
	}
	each := evaluate(t, fed, fn.Forward.Code)
	if each.Data[0] == each.Data[2] {
		t.Error("the samples of an example are the same")
	}
}

// PIWAE's form: two losses of one phase with bounds and parameters of their own.
func TestLossesAsData(t *testing.T) {
	m := build(t, iwaeText+`
[model.losses.generative]
terms = { reconstruction = 1.0, kl = 1.0 }
trains = ["decoder"]
[model.losses.inference]
terms = { reconstruction = 2.0, kl = 0.5 }
bound = "elbo"
trains = ["encoder"]
every_steps = 2
phase = 1
`, 6)
	if m.Phases() != 2 {
		t.Fatalf("phases are %d, want 2", m.Phases())
	}
	for phase, want := range []struct {
		name, param string
		every, n    int
	}{{"generative", "decoder.0.weight", 1, 4}, {"inference", "encoder.0.weight", 2, 6}} {
		fn, err := m.TrainPhase(2, phase)
		if err != nil {
			t.Fatal(err)
		}
		if len(fn.Losses) != 1 {
			t.Fatalf("phase %d has %d losses", phase, len(fn.Losses))
		}
		l := fn.Losses[0]
		params := l.Parameters(fn.Graph)
		if l.Name != want.name || l.EverySteps != want.every || l.Phase != phase || len(params) != want.n || params[0].Name != want.param {
			t.Errorf("phase %d: %s trains %d parameters, the first %s, every %d", phase, l.Name, len(params), params[0].Name, l.EverySteps)
		}
		if phase == 1 {
			fed := feed(fn, 2)
			recon, kl := mean(evaluate(t, fed, fn.Terms[0].Value)), mean(evaluate(t, fed, fn.Terms[1].Value))
			if got, want := number(t, fed, l.Value), 2*recon+0.5*kl; !close(got, want, 1e-9) {
				t.Errorf("loss is %v, want %v", got, want)
			}
		}
	}
}
