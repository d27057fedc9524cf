package configs

import (
	"strings"
	"testing"
)

const wholeHouse = `name = "whole"
seed = 18446744073709551
[data]
source = "images"
dir = "/photos/of \"mine\""
validation = "test"
normal = [0, 7]
transforms = [{ kind = "resize", size = [3, 5] }, { kind = "scale", to = "unit-norm" }]
[model]
preset = "beta-vae"
[[model.encoder]]
layer = "conv2d"
filters = [32, 64]
padding = "same"
[[model.encoder]]
layer = "residual"
layers = [{ layer = "dense", units = 3 }, { layer = "residual", layers = [{ layer = "conv2d" }] }]
[model.penalties.kl]
beta = { from = 0.0, to = 1.0, epochs = 2.5 }
[model.penalties.kl-sparsity]
enabled = false
[model.penalties.mine]
kind = "l1"
weight = 1e-6
[model.adversaries."a b"]
optimizer = { name = "sgd" }
[train]
epochs = 1e3
[kernels]
conv2d = "direct"
[anomaly]
score = "latent"
threshold = { kind = "quantile", value = 0.999 }
`

func render(t *testing.T, c *Config, o RenderOptions) string {
	t.Helper()
	var b strings.Builder
	if err := c.Render(&b, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestRender(t *testing.T) {
	h := mustRead(t, wholeHouse, "data.batch=16")
	text := render(t, h.cfg, RenderOptions{})
	golden(t, "rendered.golden.toml", text)
	golden(t, "commented.golden.toml", render(t, h.cfg, RenderOptions{Comments: true, Header: "A whole house.\nOf two lines."}))
	for _, form := range []RenderOptions{{}, {Comments: true}} {
		again := mustRead(t, render(t, h.cfg, form))
		if diff := Diff(h.cfg, again.cfg); len(diff) > 0 {
			t.Errorf("read again (%+v): %v", form, diff)
		}
		if got := render(t, again.cfg, RenderOptions{}); got != text {
			t.Errorf("rendered again (%+v):\n%s", form, got)
		}
		if _, ok := again.model.Penalties["kl-sparsity"]; ok {
			t.Error("the preset's penalty is back")
		}
	}
}

func TestRenderDefaults(t *testing.T) {
	h := mustRead(t, "")
	golden(t, "defaults.golden.toml", render(t, h.cfg, RenderOptions{Comments: true}))
	again := mustRead(t, render(t, h.cfg, RenderOptions{}))
	if diff := Diff(h.cfg, again.cfg); len(diff) > 0 {
		t.Errorf("read again: %v", diff)
	}
}

func TestRenderDropped(t *testing.T) {
	cfg, err := Load(LoadOptions{Presets: presets, DefaultPreset: "vae"})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Section("model").Drop("penalties.kl")
	if err := cfg.Section("model").Decode(newModel()); err != nil {
		t.Fatal(err)
	}
	if got := render(t, cfg, RenderOptions{}); !strings.Contains(got, "[model.penalties.kl]\nenabled = false\n") || strings.Contains(got, "beta") {
		t.Errorf("got:\n%s\nwant kl switched off", got)
	}
}

func TestDiff(t *testing.T) {
	a := mustRead(t, "[data]\nbatch = 1\n[[model.encoder]]\nlayer = \"dense\"\nunits = 3\n[optimizer]\nlearning_rate = 1e-3\n")
	b := mustRead(t, "[data]\nbatch = 2\nvalidation = 0.1\n[[model.encoder]]\nlayer = \"dense\"\nunits = [3]\n[[model.encoder]]\nlayer = \"dense\"\n[optimizer]\nname = \"sgd\"\nlearning_rate = 0.001\n")
	want := []Difference{
		{"data.batch", "1", "2"}, {"optimizer.name", `"adam"`, `"sgd"`}, {"optimizer.betas", "[0.9, 0.999]", ""}, {"data.validation", "", "0.1"},
		{"model.encoder[1].layer", "", `"dense"`}, {"model.encoder[1].name", "", `""`}, {"model.encoder[1].activation", "", `"linear"`},
		{"model.encoder[1].bias", "", "true"}, {"model.encoder[1].dropout", "", "0.0"},
	}
	got := Diff(a.cfg, b.cfg)
	if len(got) != len(want) {
		t.Fatalf("got %v; want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %v; want %v", got[i], want[i])
		}
	}
}

func TestAllowed(t *testing.T) {
	patterns := []string{"train.*", "optimizer.*", "!optimizer.name", "model.penalties.*.weight", "data.dir", "kernels.*"}
	cases := []struct {
		key  string
		want bool
	}{
		{"train.epochs", true}, {"train", false}, {"optimizer.learning_rate", true}, {"optimizer.schedule.kind", true}, {"optimizer.name", false},
		{"model.penalties.kl.weight", true}, {"model.penalties.weight", false}, {"model.penalties.kl.weight.from", false}, {"model.penalties.kl.on", false},
		{"data.dir", true}, {"data.batch", false}, {`model.penalties."a.b".weight`, true}, {"", false}, {"kernels.conv2d", true}, {"seed", false},
	}
	for _, c := range cases {
		if got := Allowed(c.key, patterns); got != c.want {
			t.Errorf("Allowed(%s) = %v; want %v", c.key, got, c.want)
		}
	}
}
