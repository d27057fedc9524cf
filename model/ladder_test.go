package model

import (
	"math"
	"strings"
	"testing"

	"aetrain/graph"
	"aetrain/op"
	"aetrain/prob"
)

const smallLadder = `latent_dim = 2
encoder = [{ layer = "dense", units = [6, 5], activation = "tanh", name = "top" }]
bottleneck.levels = [{ on = "encoder.0", latent_dim = 3, layers = [{ layer = "dense", units = 4, activation = "tanh" }] }]
`

func init() { small["ladder"] = smallLadder }

// Posteriors are products of what the encoder says and of the prior that the level above gives; the divergence is the sum over levels.
func TestLadder(t *testing.T) {
	m := build(t, "[model]\npreset = \"ladder\"\n"+smallLadder, 1, 5, 6)
	if len(m.Code) != 1 || m.Code[0] != 3 {
		t.Fatalf("the decoder takes %v, want the lowest level's 3", m.Code)
	}
	fn, err := m.Train(4)
	if err != nil {
		t.Fatal(err)
	}
	fed := feed(fn, 3)
	low, top := fn.Forward.Latents[0], fn.Forward.Latents[1]
	q, p := low.Posterior.(prob.Normal), low.Prior.(prob.Normal)
	mu, logVar := evaluate(t, fed, q.Mu), evaluate(t, fed, q.LogVar)
	priorMu, priorLogVar := evaluate(t, fed, p.Mu), evaluate(t, fed, p.LogVar)
	for i := range mu.Data {
		if logVar.Data[i] >= priorLogVar.Data[i] {
			t.Errorf("number %d: a posterior of variance %v under a prior of %v", i, math.Exp(logVar.Data[i]), math.Exp(priorLogVar.Data[i]))
		}
	}
	want := 0.0
	for i := range mu.Data {
		v, pv := math.Exp(logVar.Data[i]), math.Exp(priorLogVar.Data[i])
		want += 0.5 * (v/pv + math.Pow(mu.Data[i]-priorMu.Data[i], 2)/pv - 1 - logVar.Data[i] + priorLogVar.Data[i])
	}
	tm, tv := evaluate(t, fed, top.Posterior.(prob.Normal).Mu), evaluate(t, fed, top.Posterior.(prob.Normal).LogVar)
	for i := range tm.Data {
		want += 0.5 * (math.Exp(tv.Data[i]) + tm.Data[i]*tm.Data[i] - 1 - tv.Data[i])
	}
	if got := number(t, fed, op.SumAll(fn.Forward.KL())); !close(got, want, 1e-6) {
		t.Errorf("the divergence of 4 examples is %v, want %v", got, want)
	}
	sampled, err := m.Sample(3)
	if err != nil {
		t.Fatal(err)
	}
	if got := sampled.Outputs["z"].Shape(); !got.Equal([]int{3, 3}) {
		t.Errorf("sampled codes are %v", got)
	}
}

// Importance-weighted bounds weigh all levels, and tighten with more samples.
func TestLadderBounds(t *testing.T) {
	loss := func(bound string, samples string) float64 {
		m := build(t, "[model]\npreset = \"ladder\"\n"+smallLadder+"bottleneck.bound = \""+bound+"\"\nbottleneck.samples = "+samples+"\n", 1, 5, 6)
		fn, err := m.Evaluate(40, 0)
		if err != nil {
			t.Fatal(err)
		}
		return number(t, feed(fn, 3), fn.Loss)
	}
	elbo, one, many := loss("elbo", "5"), loss("iwae", "1"), loss("iwae", "20")
	if math.Abs(elbo-one) > 0.5 || !(many < elbo-0.05) {
		t.Errorf("elbo %v, iwae of 1 %v, of 20 %v", elbo, one, many)
	}
}

func TestLadderMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"bottleneck.levels = [{ on = \"encoder.7\", latent_dim = 3 }]\n": `levels[0].on: the encoder has no layer "encoder.7"`,
		"tied = true\n": "leave tied out",
		"bottleneck.levels = [{ on = \"encoder.0\", latent_dim = 3, layers = [{ layer = \"lstm\", units = 3 }] }]\n": "levels[0].layers[0] (lstm)",
		"bottleneck.levels = [{ on = \"encoder.0\" }]\n":                                                             "latent_dim",
	} {
		c, err := tryRead("[model]\npreset = \"ladder\"\n" + text)
		if err == nil {
			_, err = New(c, []Field{{Name: FieldX, Spec: graph.F32(30)}})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// What holds codes against their prior sees all levels, and draws them one after the other; what compares the numbers of a code with
// each other is refused.
func TestLadderAgainstPrior(t *testing.T) {
	const against = "[model]\npreset = \"ladder\"\n" + smallLadder + "[model.penalties.mmd]\nweight = 1.0\n[model.adversaries.latent]\non = \"latent\"\nlayers = [{ layer = \"dense\", units = 4, activation = \"tanh\" }]\n"
	m := build(t, against, 1, 5, 6)
	checkGradient(t, m)
	fn, err := m.Train(400)
	if err != nil {
		t.Fatal(err)
	}
	fed := feed(fn, 3)
	j := fn.Forward.judge("latent")
	real, fake := evaluate(t, fed, j.real.input), evaluate(t, fed, j.fakes[0].input)
	if want := (graph.Shape{400, 5}); !real.Shape.Equal(want) || !fake.Shape.Equal(want) {
		t.Fatalf("the discriminator sees %v and %v, want all 3 + 2 numbers", real.Shape, fake.Shape)
	}
	codes := evaluate(t, fed, fn.Forward.Latents[0].Z)
	if fake.Data[0] != codes.Data[0] || fake.Data[5] != codes.Data[3] {
		t.Error("the first numbers are not the lowest level's")
	}
	// The top's draws are N(0, 1); those below have the prior's mean, given the top's draw: not the posterior's.
	var sum, squares float64
	for i := range 400 {
		for _, v := range real.Data[i*5+3 : i*5+5] {
			sum, squares = sum+v, squares+v*v
		}
	}
	if mean, variance := sum/800, squares/800; math.Abs(mean) > 0.15 || math.Abs(variance-1) > 0.2 {
		t.Errorf("draws of the top level have mean %v, variance %v", mean, variance)
	}
	for extra, want := range map[string]string{
		"[model.penalties.total-correlation]\nweight = 1.0": "leave levels out",
		"[model.penalties.dip]\nweight = 1.0":               "leave levels out",
		"[model.adversaries.permuted]\non = \"latent\"\nagainst = \"permuted\"\nlayers = [{ layer = \"dense\", units = 4 }]": "leave levels out",
	} {
		c := read(t, "[model]\npreset = \"ladder\"\n"+smallLadder+extra+"\n")
		if _, err := New(c, []Field{{Name: FieldX, Spec: graph.F32(1, 5, 6)}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", extra, err, want)
		}
	}
}
