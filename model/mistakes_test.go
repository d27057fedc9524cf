package model

import (
	"strings"
	"testing"

	"aetrain/configs"
	"aetrain/graph"
)

// sentence returns what the user is told about a text, the key and the line before it included.
func sentence(text string, x ...int) string {
	cfg, err := configs.Load(configs.LoadOptions{File: "t.toml", Bytes: []byte(text), Presets: Presets(), DefaultPreset: DefaultPreset})
	if cfg == nil {
		return err.Error()
	}
	c, _ := Read(cfg)
	if err := cfg.Err(); err != nil {
		return err.Error()
	}
	_, err = New(c, []Field{{Name: FieldX, Spec: graph.F32(x...)}})
	if rest := Report(cfg, err); rest != nil {
		return "not a mistake in the config: " + rest.Error()
	}
	if err := cfg.Err(); err != nil {
		return err.Error()
	}
	return ""
}

func TestMistakes(t *testing.T) {
	conv := "{ layer = \"conv2d\", filters = 64, kernel = 3, stride = 4, padding = 1 }"
	for _, c := range []struct {
		name, text string
		x          []int
		want       string
	}{
		{"feature map before dense", "[model]\nencoder = [\n  " + conv + ",\n  { layer = \"activation\", kind = \"relu\" },\n  { layer = \"dense\", units = 3 },\n]\n", []int{1, 28, 28},
			"t.toml:5: model.encoder[2] (dense): its input is a feature map, 64x7x7: add { layer = \"flatten\" } before it"},
		{"decoder that ends elsewhere", "[model]\nlatent_dim = 49\ndecoder = [\n  { layer = \"reshape\", shape = [1, 7, 7] },\n  { layer = \"upsample2d\", scale = 4 },\n  { layer = \"conv2d\", filters = 64, kernel = 3, padding = 1 },\n]\n", []int{1, 28, 28},
			"t.toml:6: model.decoder[2]: gives 64x28x28, the input is 1x28x28: leave out filters, or add a layer that gives 1"},
		{"decoder of another size", "[model]\nlatent_dim = 49\ndecoder = [\n  { layer = \"reshape\", shape = [1, 7, 7] },\n  { layer = \"upsample2d\", scale = 3 },\n]\n", []int{1, 28, 28},
			"t.toml:5: model.decoder[1]: gives 1x21x21, the input is 1x28x28: change kernels, strides or paddings, or leave the decoder out: the encoder's mirror fits"},
		{"dense decoder", "[model]\ndecoder = [{ layer = \"dense\", units = 5 }]\n", []int{12},
			"t.toml:2: model.decoder[0]: gives 5, the input is 12: leave out units, or add a layer that gives 12"},
		{"filter too large", "[model]\nencoder = [{ layer = \"conv2d\", filters = 2, kernel = 9 }]\n", []int{1, 8, 8},
			"t.toml:2: model.encoder[0] (conv2d): its filter 9x9 is larger than the padded input 8x8"},
		{"image layer on a vector", "[model]\nencoder = [{ layer = \"max_pool2d\" }]\n", []int{8},
			"t.toml:2: model.encoder[0] (max_pool2d): it works on images, its input is 8: add { layer = \"reshape\", shape = [channels, height, width] } before it"},
		{"no units", "[model]\nencoder = [{ layer = \"dense\" }]\n", []int{8},
			"t.toml:2: model.encoder[0] (dense): units is missing; only a decoder's last layer may leave it out"},
		{"gaussian without a size", "[model]\npreset = \"vae\"\nlatent_dim = 0\n", []int{8},
			"t.toml:3: model.latent_dim: a gaussian bottleneck projects to mean and variance of a code: give latent_dim a size above 0"},
		{"kl without a posterior", "[model]\npreset = \"ae\"\n[model.penalties.kl]\nbeta = 1\n", []int{8},
			"t.toml:3: model.penalties.kl: kl needs a posterior: choose a gaussian bottleneck, or leave the penalty out (enabled = false)"},
		{"tied, with a decoder", "[model]\ntied = true\ndecoder = [{ layer = \"dense\" }]\n", []int{8},
			"t.toml:2: model.tied: weights are shared with the encoder's mirror: leave the decoder out, or tied"},
		{"logits cut", "[model]\npreset = \"vae\"\ndecoder = [{ layer = \"dense\", activation = \"relu\" }]\n", []int{8},
			"t.toml:3: model.decoder[0]: bce takes the numbers before its own sigmoid, and relu would cut them: leave the last activation out"},
		{"a bias before a norm", "[model]\nlatent_dim = 2\nreconstruction = { kind = \"bce\", start = \"data\" }\ndecoder = [{ layer = \"dense\", norm = \"batch\" }]\n", []int{8},
			"t.toml:3: model.reconstruction.start: the data give the bias of each value: the decoder's last layer must be a dense one with a bias, without norm and activation, or leave start out"},
		{"a bias that is not there", "[model]\npreset = \"vae\"\nreconstruction = { kind = \"bce\", start = \"data\" }\ndecoder = [{ layer = \"dense\", bias = false }]\n", []int{8},
			"t.toml:3: model.reconstruction.start: the data give the bias of each value: the decoder's last layer must be a dense one with a bias, without norm and activation, or leave start out"},
		{"mean under iwae", "[model]\npreset = \"vae\"\nbottleneck = { kind = \"gaussian\", bound = \"iwae\", samples = 3 }\nreconstruction = { kind = \"bce\", reduction = \"mean\" }\n", []int{8},
			"t.toml:4: model.reconstruction.reduction: an importance-weighted bound needs nats: reduction = \"sum\""},
		{"nothing corrupted", "[model]\nreconstruction = { kind = \"mse\", on = \"corrupted\" }\n", []int{8},
			"t.toml:2: model.reconstruction.on: nothing is corrupted: choose a [model.corruption], or on = \"all\""},
		{"unknown layer for a penalty", "[model]\n[model.penalties.l1]\non = \"feature\"\n", []int{8},
			"t.toml:3: model.penalties.l1.on: no layer is called \"feature\": give it a name = \"feature\", or write its path, such as \"encoder.0\""},
		{"activities beyond 1", "[model]\npreset = \"ae\"\n[model.penalties.kl-sparsity]\nrho = 0.1\n", []int{8},
			"t.toml:3: model.penalties.kl-sparsity: it wants activities between 0 and 1, the code's activation is linear: add activation = \"sigmoid\" to [model.bottleneck] (latent_dim = 0: to the encoder's last layer)"},
		{"loss with an unknown term", "[model]\npreset = \"vae\"\n[model.losses.a]\nterms = { kll = 1.0 }\n", []int{8},
			"t.toml:4: model.losses.a.terms.kll: no such term; did you mean kl?; there are reconstruction, kl"},
		{"no range", "[model]\ncorruption = { kind = \"gaussian\", clip = [1.0, 0.0] }\n", []int{8},
			"t.toml:2: model.corruption.clip: [1 0] is no range; want two numbers, the smaller one first"},
		{"nothing to train", "[model]\nencoder = []\nlatent_dim = 0\n", []int{8},
			"t.toml:1: model: there is nothing to train: give the encoder layers, or latent_dim a size"},
		{"beyond any machine", "[model]\nencoder = [{ layer = \"dense\", units = [100000000, 2000000000] }]\n", []int{8},
			"t.toml:1: model: encoder.1.weight is 2000000000x100000000: no machine holds it"},
		{"output padding below nothing", "[model]\nencoder = [{ layer = \"conv_transpose2d\", filters = 2, kernel = 3, stride = 2, output_padding = \"same\" }]\n", []int{1, 8, 8},
			"t.toml:2: model.encoder[0].output_padding: \"same\" would take away 1x1: make the padding larger, or \"same\""},
		{"odd mirror", "[model]\nencoder = [{ layer = \"conv_transpose2d\", filters = 2, kernel = 3, dilation = 2, output_padding = 1 }]\n", []int{1, 8, 8},
			"t.toml:2: model.encoder[0] (conv_transpose2d): it has no mirror: output_padding 1x1 is not smaller than the stride 1x1; write the decoder out"},
	} {
		if got := sentence(c.text, c.x...); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestEveryMistakeIsListed(t *testing.T) {
	got := sentence("[model]\nlaten_dim = 3\nencoder = [{ layer = \"dence\" }, { layer = \"dense\", units = -1 }]\n", 4)
	for _, want := range []string{"model.laten_dim: unknown key; did you mean latent_dim?", "did you mean dense?", "model.encoder[1].units"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %s\nwant %s in it", got, want)
		}
	}
}

func TestCheckRange(t *testing.T) {
	m := build(t, "[model]\npreset = \"vae\"\n", 6)
	for _, c := range []struct {
		name      string
		low, high float64
		after     string
		want      string
	}{
		{"inside", 0, 1, "", ""},
		{"standardized", -2.31, 8.04, "standardize", "model.reconstruction: bce wants values in [0,1], the data has -2.31 to 8.04 (after standardize): use gaussian or mse"},
		{"bytes", 0, 255, "", "model.reconstruction: bce wants values in [0,1], the data has 0 to 255: use gaussian or mse"},
	} {
		got := ""
		if err := m.CheckRange(c.low, c.high, c.after); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	if err := build(t, "", 6).CheckRange(-5, 5, ""); err != nil {
		t.Errorf("mse takes any number: %v", err)
	}
}
