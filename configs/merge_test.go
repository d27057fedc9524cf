package configs

import (
	"slices"
	"strings"
	"testing"
)

func TestLayers(t *testing.T) {
	h := mustRead(t, "[model]\npreset = \"beta_vae\"\n[model.penalties.kl]\nfree_bits = 0.5\n[optimizer]\nbetas = [0.5, 0.9]\n", "model.penalties.kl.beta=2", "data.batch=64")
	if h.model.LatentDim != 10 || h.data.Batch != 64 || h.loop.Epochs != 10 {
		t.Errorf("latent_dim %d, batch %d, epochs %v; want 10 of the preset, 64 of -set, 10 by default", h.model.LatentDim, h.data.Batch, h.loop.Epochs)
	}
	if _, ok := h.model.Bottleneck.(*gaussian); !ok {
		t.Errorf("bottleneck is %T; want that of the preset's preset", h.model.Bottleneck)
	}
	if k := h.model.Penalties["kl"].(*kl); k.Beta.Final() != 2 || k.FreeBits != 0.5 {
		t.Errorf("kl is %+v; want beta 2 of -set beside free_bits 0.5 of the file", k)
	}
	if o := h.optimizer.Rule.(*adam); o.LearningRate != 5e-4 || !slices.Equal(o.Betas, []float64{0.5, 0.9}) {
		t.Errorf("optimizer is %+v; want the preset's rate, the file's betas", o)
	}
	for key, want := range map[string]string{
		"model.latent_dim": "preset beta-vae:3", "model.bottleneck.kind": "preset vae:2", "model.penalties.kl.beta": "-set model.penalties.kl.beta=2",
		"optimizer.betas": "t.toml:6", "optimizer.betas[1]": "t.toml:6", "optimizer.eps": "t.toml:5", "model.preset": "t.toml:2",
	} {
		if got := h.cfg.Where(key).String(); got != want {
			t.Errorf("Where(%s) = %s; want %s", key, got, want)
		}
	}
}

func TestMerge(t *testing.T) {
	cases := []struct {
		name, text string
		sets       []string
		check      func(h *house) string
		want       string
	}{
		{"lists are replaced whole", "model.encoder = []\n[model]\n", nil, nil, ""},
		{"an encoder of one's own drops the preset's decoder", "[model]\npreset = \"beta-vae\"\nencoder = [{ layer = \"dense\", units = 5 }]\n", nil,
			func(h *house) string { return layerText(h.model.Encoder) + "|" + layerText(h.model.Decoder) }, "&{named:{Name:} Units:[5] Activation:linear Bias:true Dropout:0};|"},
		{"without one it stays", "[model]\npreset = \"beta-vae\"\n", nil, func(h *house) string { return count(len(h.model.Decoder), "layer") }, "2 layers"},
		{"one changed by number keeps it", "[model]\npreset = \"beta-vae\"\n", []string{"model.encoder.0.units=7"},
			func(h *house) string { return layerText(h.model.Encoder) + count(len(h.model.Decoder), "layer") }, "&{named:{Name:} Units:[7] Activation:linear Bias:true Dropout:0};2 layers"},
		{"an own decoder survives an own encoder", "[model]\npreset = \"beta-vae\"\nencoder = []\ndecoder = [{ layer = \"dense\" }]\n", nil,
			func(h *house) string { return count(len(h.model.Decoder), "layer") }, "1 layer"},
		{"the file's decoder survives an encoder of -set", "[model]\ndecoder = [{ layer = \"dense\" }]\n", []string{`model.encoder=[{layer="dense", units=2}]`},
			func(h *house) string { return count(len(h.model.Decoder), "layer") }, "1 layer"},
		{"another optimizer than the declared one replaces the table", "[model]\npreset = \"beta-vae\"\n[optimizer]\nname = \"sgd\"\n", nil,
			func(h *house) string { return showFloat(h.optimizer.Rule.(*sgd).LearningRate) }, "0.01"},
		{"the declared optimizer does not", "[model]\npreset = \"beta-vae\"\n[optimizer]\nname = \"adam\"\n", nil,
			func(h *house) string { return showFloat(h.optimizer.Rule.(*adam).LearningRate) }, "0.0005"},
		{"another optimizer on the command line", "[optimizer]\nname = \"adam\"\nlearning_rate = 0.5\n", []string{"optimizer.name=sgd"},
			func(h *house) string { return showFloat(h.optimizer.Rule.(*sgd).LearningRate) }, "0.01"},
		{"overrides of one table in any order", "[optimizer]\nname = \"adam\"\n", []string{"optimizer.learning_rate=3", "optimizer.name=sgd"},
			func(h *house) string { return showFloat(h.optimizer.Rule.(*sgd).LearningRate) }, "3.0"},
		{"another kind replaces the table", "[model]\npreset = \"vae\"\n[model.penalties.kl]\nkind = \"l1\"\n", nil,
			func(h *house) string { return h.model.Penalties["kl"].(*weight).Kind }, "l1"},
		{"the same kind in other words does not", "[model]\npreset = \"beta-vae\"\n[model.penalties.kl_sparsity]\nkind = \"kl_sparsity\"\n", nil,
			func(h *house) string {
				p := h.model.Penalties["kl-sparsity"].(*weight)
				return p.Kind + showFloat(p.Weight.Final())
			}, "kl-sparsity0.1"},
		{"enabled = false", "[model]\npreset = \"beta-vae\"\n[model.penalties.kl]\nenabled = false\n", nil,
			func(h *house) string { return strings.Join(keysOf(h.model.Penalties), ",") }, "kl-sparsity"},
		{"enabled by -set", "[model]\npreset = \"beta-vae\"\n[model.penalties.kl]\nenabled = false\n", []string{"model.penalties.kl.enabled=true"},
			func(h *house) string { return strings.Join(keysOf(h.model.Penalties), ",") }, "kl,kl-sparsity"},
		{"no preset", "[model]\npreset = \"\"\n", nil, func(h *house) string { return h.model.Preset }, ""},
		{"preset by -set", "[model]\npreset = \"vae\"\n", []string{"model.preset=beta-vae"}, func(h *house) string { return h.model.Preset + count(h.model.LatentDim, "dim") }, "beta-vae10 dims"},
		{"the default preset's name", "", nil, func(h *house) string { return h.model.Preset }, "ae"},
		{"a schedule over a number", "[model]\npreset = \"vae\"\n[model.penalties.kl]\nbeta = { from = 0, to = 1, epochs = 2 }\n", nil,
			func(h *house) string { return showFloat(h.model.Penalties["kl"].(*kl).Beta.At(1)) }, "0.5"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := mustRead(t, c.text, c.sets...)
			if c.check == nil {
				return
			}
			if got := c.check(h); got != c.want {
				t.Errorf("got %s; want %s", got, c.want)
			}
		})
	}
}

func keysOf[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func TestSetReadsTheKeysType(t *testing.T) {
	h := mustRead(t, "[data]\nsource = \"csv\"\nfile = \"a.csv\"\n[[model.encoder]]\nlayer = \"conv2d\"\n[[model.encoder]]\nlayer = \"dense\"\nunits = [3, 4]\n",
		"name=5", "data.batch=1_000", "data.file=[\"a.csv\", \"b/[ab]*.csv\"]", "data.missing=[\"x\"]", "data.header=false", "data.validation=0.25", "data.test=test.csv", `data.columns."a b"=numeric`,
		"data.columns.c='ignore'", "model.encoder.0.padding=same", "model.encoder.0.kernel=[3,5]", "model.encoder.1.units.0=9", "model.encoder.1.activation=leaky-relu",
		"optimizer.learning_rate=.5", "optimizer.betas.0=0.25", "train.monitor=\"ndcg@100\"", `model.penalties.kl={beta=2}`, "kernels.conv2d=direct", "seed=7", "data.resident=auto")
	table := h.data.Source.(*table)
	checks := []struct {
		key       string
		got, want any
	}{
		{"name", h.cfg.Name, "5"}, {"seed", h.cfg.Seed, uint64(7)}, {"file", table.File[0], ResolvePath("a.csv")}, {"batch", h.data.Batch, 1000}, {"missing", table.Missing[0], "x"}, {"header", table.Header, false},
		{"validation", h.data.Validation.Fraction, 0.25}, {"test", h.data.Test.Text, ResolvePath("test.csv")}, {"columns", table.Columns["a b"] + table.Columns["c"], "numericignore"},
		{"padding", h.model.Encoder[0].(*conv).Padding.Word, "same"}, {"kernel", h.model.Encoder[0].(*conv).Kernel[1], 5},
		{"units", h.model.Encoder[1].(*dense).Units[0]*10 + h.model.Encoder[1].(*dense).Units[1], 94}, {"activation", h.model.Encoder[1].(*dense).Activation, "leaky_relu"},
		{"learning_rate", h.optimizer.Rule.(*adam).LearningRate, 0.5}, {"betas", h.optimizer.Rule.(*adam).Betas[0] + h.optimizer.Rule.(*adam).Betas[1], 0.25 + 0.999},
		{"monitor", h.stopping.Monitor, "ndcg@100"}, {"beta", h.model.Penalties["kl"].(*kl).Beta, Number(2)}, {"kernels", h.kernels.Choice["conv2d"], "direct"},
		{"resident", h.data.Resident.Or(true), true},
	}
	for _, c := range checks {
		if c.got != c.want {
			t.Errorf("%s is %v; want %v", c.key, c.got, c.want)
		}
	}
}

func TestSectionOver(t *testing.T) {
	h := mustRead(t, "[model.adversaries.latent]\noptimizer = { learning_rate = 0.1 }\n[model.adversaries.image]\non = \"output\"\noptimizer = { name = \"sgd\" }\n[model.adversaries.third]\n[optimizer]\nbetas = [0.5, 0.9]\n")
	base := h.cfg.Section("optimizer")
	decode := func(name string) optimizer {
		var o optimizerConfig
		if err := h.model.Adversaries[name].Optimizer.Over(base).Decode(&o); err != nil {
			t.Fatal(err)
		}
		return o.Rule
	}
	if got := decode("latent").(*adam); got.LearningRate != 0.1 || got.Betas[0] != 0.5 {
		t.Errorf("latent: %+v; want its own rate and the betas of [optimizer]", got)
	}
	if _, ok := decode("third").(*adam); !ok {
		t.Error("third: want [optimizer] as it is")
	}
	if got := h.model.Adversaries["third"]; got.On != "latent" || got.Weight.Final() != 1 {
		t.Errorf("third: %+v; want the defaults of an adversary", got)
	}
	if _, ok := decode("image").(*sgd); ok {
		return
	}
	t.Error("image: want sgd")
}

func TestOverReportsMistakesOnce(t *testing.T) {
	cfg, err := Load(LoadOptions{File: "t.toml", Bytes: []byte("[optimizer]\nlerning_rate = 1\n[model.adversaries.a]\noptimizer = { betas = [0.1, 0.2] }\n")})
	if err != nil {
		t.Fatal(err)
	}
	_ = cfg.Section("optimizer").Decode(&optimizerConfig{})
	_ = cfg.Section("model.adversaries.a.optimizer").Over(cfg.Section("optimizer")).Decode(&optimizerConfig{})
	if got, want := cfg.Err().Error(), "t.toml:2: optimizer.lerning_rate: unknown key; did you mean learning_rate?"; got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestSectionBeforeDecoding(t *testing.T) {
	cfg, err := Load(LoadOptions{File: "t.toml", Presets: presets, Bytes: []byte("[model]\npreset = \"beta-vae\"\n[model.bottleneck]\nkind = \"deterministic\"\n[[model.encoder]]\nlayer = \"dense\"\n")})
	if err != nil {
		t.Fatal(err)
	}
	s := cfg.Section("model")
	if s.Text("bottleneck.kind") != "deterministic" || s.Where("bottleneck.kind").Layer != File || s.Where("penalties.kl").Layer != Preset {
		t.Errorf("kind %q of %v, kl of %v", s.Text("bottleneck.kind"), s.Where("bottleneck.kind"), s.Where("penalties.kl"))
	}
	if got := s.Keys("penalties"); !slices.Equal(got, []string{"kl", "kl-sparsity"}) {
		t.Errorf("penalties are %v", got)
	}
	s.Drop("penalties.kl")
	if s.Has("penalties.kl") || len(s.Keys("penalties")) != 1 {
		t.Error("kl is there after Drop")
	}
	m := newModel()
	if err := s.Decode(m); err != nil || len(m.Penalties) != 1 {
		t.Errorf("after Drop: %v, %v", m.Penalties, err)
	}
	cfg.Errorf("model.encoder[0]", "gives %s", "64x28x28")
	s.Errorf("decoder.1.units", "is wrong")
	s.Sub("condition").Errorf("on", "no such field")
	want := "t.toml:1: model.condition.on: no such field\nt.toml:1: model.decoder.1.units: is wrong\nt.toml:5: model.encoder[0]: gives 64x28x28"
	if got := cfg.Err().Error(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
