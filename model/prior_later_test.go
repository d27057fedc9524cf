package model

import (
	"math"
	"slices"
	"strings"
	"testing"

	"aetrain/graph"
	"aetrain/op"
	"aetrain/prob"
)

// codesOfLists are bottlenecks whose codes are entries of lists, on the 4×4 map of an 8×8 image, or as variables.
var codesOfLists = map[string]string{
	"vq":          `{ kind = "vq", codes = 5 }`,
	"residual-vq": `{ kind = "residual-vq", codes = 4, levels = 3 }`,
	"fsq":         `{ kind = "fsq", levels = [4, 3, 2] }`,
	"categorical": `{ kind = "categorical", classes = 4 }`,
}

// overLists is a model with a network over such codes.
func overLists(t *testing.T, bottleneck string) *Model {
	t.Helper()
	m := build(t, "[model]\nlatent_dim = 3\nencoder = [{ layer = \"conv2d\", filters = 3, kernel = 3, stride = 2, padding = 1, activation = \"tanh\" }]\nbottleneck = "+
		bottleneck+"\nprior = { kind = \"autoregressive\", layers = [{ layer = \"gru\", units = 6 }, { layer = \"transformer\", units = 6, heads = 2 }] }\n", 1, 8, 8)
	own, err := m.Stage(StageOptions{Prior: true})
	if err != nil {
		t.Fatal(err)
	}
	return own
}

// Indices that encode gives lead back to the code, and the prior's loss has the gradient of differences.
func TestCodesOfLists(t *testing.T) {
	for name, bottleneck := range codesOfLists {
		t.Run(name, func(t *testing.T) {
			m := overLists(t, bottleneck)
			fn, err := m.Encode(2)
			if err != nil {
				t.Fatal(err)
			}
			fed := feed(fn, 5)
			b := m.Config.Bottleneck.(Indexed)
			again := b.Lookup(fn.Scope.At("encoder"), fn.Outputs["indices"], m.Code)
			got, want := evaluate(t, fed, again), evaluate(t, fed, fn.Forward.Code)
			for i := range want.Data {
				if !close(got.Data[i], want.Data[i], 1e-9) {
					t.Fatalf("number %d of the code is %v by its index, %v as it was", i, got.Data[i], want.Data[i])
				}
			}
			checkGradient(t, m)
		})
	}
}

// What the network says of a position does not depend on that code or later ones, and does on those before.
func TestAutoregressivePriorLooksBack(t *testing.T) {
	m := overLists(t, codesOfLists["vq"])
	p := m.Config.Prior.(*Autoregressive)
	fn, err := m.Encode(1)
	if err != nil {
		t.Fatal(err)
	}
	codes := fn.Graph.Input("codes", graph.I32(1, p.length))
	h := p.network(fn.Forward, codes)
	said := func(change int) []float64 {
		fed := feed(fn, 5)
		c := graph.NewTensor(graph.I32(1, p.length))
		for i := range c.Data {
			c.Data[i] = float64(i % p.codes)
		}
		if change >= 0 {
			c.Data[change] = float64((change + 1) % p.codes)
		}
		fed["codes"] = c
		return evaluate(t, fed, h).Data
	}
	const at = 6
	before, after := said(-1), said(at)
	if !slices.Equal(before[:(at+1)*6], after[:(at+1)*6]) {
		t.Errorf("a code changes what is said of it, or of those before it")
	}
	if slices.Equal(before[(at+1)*6:(at+2)*6], after[(at+1)*6:(at+2)*6]) {
		t.Error("what follows a code knows nothing of it")
	}
}

// A flow prior's density is that of the change of variables, and draws invert the maps.
func TestFlowPrior(t *testing.T) {
	m := build(t, "[model]\npreset = \"vae\"\nlatent_dim = 2\nencoder = [{ layer = \"dense\", units = 5, activation = \"tanh\" }]\nprior = { kind = \"flow\", steps = 3, hidden = 4 }\n", 6)
	checkGradient(t, m)
	fn, err := m.Train(1)
	if err != nil {
		t.Fatal(err)
	}
	p := fn.Forward.Latents[0].Prior.(prob.Transported)
	fed := feed(fn, 2)
	for name, v := range fed { // away from the start, where the maps are none
		if strings.HasPrefix(name, "prior.") {
			for i := range v.Data {
				v.Data[i] += 0.3 * math.Sin(float64(i+len(name)))
			}
		}
	}
	x := fn.Graph.Input("point", graph.F32(1, 2))
	density := op.SumAll(p.LogProb(x))
	y := x
	for _, s := range p.Steps {
		y, _ = s.Apply(y)
	}
	back := y
	for i := len(p.Steps) - 1; i >= 0; i-- {
		back = p.Steps[i].Invert(back)
	}
	at := func(v graph.Value, a, b float64) []float64 {
		fed["point"] = graph.Tensor{Spec: x.Spec(), Data: []float64{a, b}}
		return evaluate(t, fed, v).Data
	}
	const a, b, h = 0.7, -1.2, 1e-5
	if got := at(back, a, b); !close(got[0], a, 1e-9) || !close(got[1], b, 1e-9) {
		t.Errorf("the maps lead (%v, %v) back to %v", a, b, got)
	}
	slope := func(da, db float64) (u, v float64) {
		up, down := at(y, a+da, b+db), at(y, a-da, b-db)
		return (up[0] - down[0]) / (2 * h), (up[1] - down[1]) / (2 * h)
	}
	ua, va := slope(h, 0)
	ub, vb := slope(0, h)
	u := at(y, a, b)
	want := -0.5*(u[0]*u[0]+u[1]*u[1]) - math.Log(2*math.Pi) + math.Log(math.Abs(ua*vb-ub*va))
	if got := at(density, a, b)[0]; !close(got, want, 1e-6) {
		t.Errorf("log p is %v, by the numeric Jacobian %v", got, want)
	}
}

func TestPriorMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"preset = \"ae\"\nprior.kind = \"flow\"\n":                                                                                      "choose a gaussian bottleneck",
		"preset = \"vae\"\nlatent_dim = 1\nprior.kind = \"flow\"\n":                                                                     "give latent_dim 2 or more",
		"preset = \"vae\"\nprior = { kind = \"autoregressive\", layers = [{ layer = \"gru\", units = 4 }] }\n":                          "choose a vq, residual-vq, fsq or categorical bottleneck",
		"preset = \"vq-vae\"\nprior = { kind = \"autoregressive\", layers = [] }\n":                                                     "layers is missing",
		"preset = \"vq-vae\"\nprior = { kind = \"autoregressive\", layers = [{ layer = \"flatten\" }] }\n":                              "layers[0] (flatten): it may see later elements",
		"preset = \"vq-vae\"\nprior = { kind = \"autoregressive\", layers = [{ layer = \"gru\", units = 4, bidirectional = true }] }\n": "leave bidirectional",
		"preset = \"vq-vae\"\nprior.kind = \"gaussian-mixture\"\n":                                                                      "choose an autoregressive prior",
		"preset = \"ae\"\nlatent_dim = 600\nprior.kind = \"gaussian-mixture\"\n":                                                        "smaller latent_dim",
	} {
		c, err := tryRead("[model]\n" + text)
		if err == nil {
			_, err = New(c, []Field{{Name: FieldX, Spec: graph.F32(1, 8, 8)}})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
