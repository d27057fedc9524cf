package model

import (
	"math"
	"testing"

	"aetrain/graph"
)

// masked is a small masked autoencoder; more is added to it.
const masked = `[model]
preset = "masked"
encoder = [{ layer = "patch_embed", size = 2, units = 8 }, { layer = "transformer", heads = 2, units = 8 }]
decoder = [{ layer = "dense", units = 4 }, { layer = "transformer", heads = 1, units = 4 }, { layer = "dense" }]
[model.corruption]
kind = "patches"
ratio = 0.5
`

func TestMaskedGradients(t *testing.T) {
	for name, text := range map[string]string{
		"patches":      masked,
		"mirror":       "[model]\npreset = \"masked\"\nencoder = [{ layer = \"patch_embed\", size = 2, units = 4, positions = \"learned\" }, { layer = \"transformer\", heads = 2 }]\n",
		"all and raw":  masked + "[model.reconstruction]\nkind = \"gaussian\"\non = \"all\"\nnormalize = \"none\"\nvariance = \"learned\"\n",
		"zeroed":       "[model]\npreset = \"masked\"\nlatent_dim = 3\nencoder = [{ layer = \"conv2d\", filters = 2, kernel = 3, padding = 1, activation = \"tanh\" }]\n[model.corruption]\nkind = \"patches\"\nsize = 2\n",
		"discretised":  masked + "[model.bottleneck]\nkind = \"vq\"\ncodes = 4\nupdate = \"gradient\"\n",
		"clean vision": "[model]\nlatent_dim = 3\nencoder = [{ layer = \"patch_embed\", size = 2, units = 4 }, { layer = \"transformer\", heads = 2 }]\n",
	} {
		t.Run(name, func(t *testing.T) {
			m := build(t, text, 1, 4, 6)
			if name != "discretised" { // its gradient is a choice
				checkGradient(t, m)
			}
			checkFunctions(t, m)
		})
	}
}

// evaluated runs a function on its feed, with x replaced where it is given.
func evaluated(t *testing.T, fn *Function, x *graph.Tensor, values ...graph.Value) []graph.Tensor {
	t.Helper()
	fed := feed(fn, 3)
	if x != nil {
		fed[FieldX] = *x
	}
	out, err := graph.Evaluate(values, fed)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A fixed number of patches is hidden of each image; neither code nor output depends on their pixels.
func TestMaskedHides(t *testing.T) {
	m := build(t, masked+"[model.reconstruction]\nkind = \"mse\"\nnormalize = \"none\"\non = \"corrupted\"\n", 2, 4, 6)
	fn, err := m.Evaluate(5, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := fn.Forward
	if !f.Code.Shape().Equal(graph.Shape{5, 3, 8}) {
		t.Fatalf("the code is %v, want the 3 patches of 6 that are left", f.Code.Shape())
	}
	raw, seen := f.Recon.Mean(), fn.Outputs["recon"]
	values := []graph.Value{f.Changed, f.Code, raw, f.Input, f.X, seen}
	out := evaluated(t, fn, nil, values...)
	changed, x := out[0], out[4]
	for n := range 5 {
		hidden := 0.0
		for i := n * 48; i < (n+1)*48; i++ {
			hidden += changed.Data[i]
			if want := x.Data[i] * (1 - changed.Data[i]); out[3].Data[i] != want {
				t.Fatalf("pixel %d of the input is %v, want %v", i, out[3].Data[i], want)
			}
			if want := x.Data[i]; changed.Data[i] == 0 && out[5].Data[i] != want {
				t.Fatalf("pixel %d was seen as %v and comes back as %v", i, want, out[5].Data[i])
			}
		}
		if hidden != 3*4*2 {
			t.Errorf("image %d: %v pixels are hidden, want 3 patches of 4 pixels and 2 channels", n, hidden)
		}
	}
	other := graph.Tensor{Spec: x.Spec, Data: append([]float64(nil), x.Data...)}
	for i := range other.Data {
		other.Data[i] += 5 * changed.Data[i]
	}
	again := evaluated(t, fn, &other, values...)
	for k := range 3 {
		for i, v := range again[k].Data {
			if v != out[k].Data[i] {
				t.Fatalf("value %d, number %d is %v, and %v where hidden pixels differ", k, i, out[k].Data[i], v)
			}
		}
	}
}

// The tokens stand where the patches were hidden: without layers that mix, a hidden patch's output depends on its place alone.
func TestMaskedTokensStandInTheirPlaces(t *testing.T) {
	m := build(t, `[model]
preset = "masked"
encoder = [{ layer = "patch_embed", size = 2, units = 4 }]
decoder = [{ layer = "dense" }]
[model.reconstruction]
kind = "mse"
on = "corrupted"
normalize = "none"
`, 1, 4, 6)
	fn, err := m.Evaluate(9, 0)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := m.Reconstruct(9)
	if err != nil {
		t.Fatal(err)
	}
	out := evaluated(t, fn, nil, fn.Forward.Changed, fn.Forward.Recon.Mean(), fn.Forward.X)
	seen := evaluated(t, whole, &out[2], whole.Forward.Recon.Mean())[0]
	place := map[int]float64{}
	for i, v := range out[1].Data {
		at := i % 24
		if out[0].Data[i] == 0 {
			if math.Abs(v-seen.Data[i]) > 1e-12 {
				t.Fatalf("pixel %d of a visible patch is %v, with all patches seen %v", i, v, seen.Data[i])
			}
			continue
		}
		if first, known := place[at]; known && math.Abs(first-v) > 1e-12 {
			t.Fatalf("pixel %d is hidden in two images, and comes out as %v and %v", at, first, v)
		}
		place[at] = v
	}
	if len(place) != 24 {
		t.Errorf("%d pixels of 24 were ever hidden", len(place))
	}
}

// A patch that is its own mean and spread comes back in x's units, and the target has mean 0 and variance 1 in each patch.
func TestNormalizedPatches(t *testing.T) {
	m := build(t, masked, 1, 4, 6)
	fn, err := m.Reconstruct(2)
	if err != nil {
		t.Fatal(err)
	}
	f := fn.Forward
	mean, deviation := m.patchStatistics(f.X)
	out := evaluated(t, fn, nil, f.target(), mean, deviation, f.X)
	sum, square := 0.0, 0.0
	for _, at := range []int{2, 3, 8, 9} { // a patch of the first image
		v := out[0].Data[at]
		sum, square = sum+v, square+v*v
		if back := v*out[2].Data[at] + out[1].Data[at]; math.Abs(back-out[3].Data[at]) > 1e-12 {
			t.Errorf("pixel %d comes back as %v, was %v", at, back, out[3].Data[at])
		}
	}
	if math.Abs(sum) > 1e-9 || math.Abs(square/3-1) > 1e-3 {
		t.Errorf("a patch has mean %v and variance %v, want 0 and 1", sum/4, square/3)
	}
}

func TestMaskedMistakes(t *testing.T) {
	for _, c := range []struct {
		name, text string
		x          []int
		want       string
	}{
		{"a code of all", "[model]\npreset = \"masked\"\nlatent_dim = 8\n", []int{1, 8, 8},
			"preset masked:14: model.corruption: the encoder sees the patches that are left, so the code has to be one for each patch and not 8: latent_dim = 0 and a deterministic bottleneck"},
		{"a convolution", "[model]\npreset = \"masked\"\nencoder = [{ layer = \"conv2d\", filters = 2, kernel = 3 }]\n", []int{1, 8, 8},
			"preset masked:14: model.corruption: size is missing: the encoder does not begin with patch_embed, whose size it would be"},
		{"two sizes", "[model]\npreset = \"masked\"\n[model.corruption]\nkind = \"patches\"\nsize = 2\n", []int{1, 8, 8},
			"t.toml:3: model.corruption: size = 2 is not that of the encoder's patch_embed, 4: leave it out"},
		{"a vector", "[model]\nencoder = []\n[model.corruption]\nkind = \"patches\"\nsize = 2\n", []int{8},
			"t.toml:3: model.corruption: patches are hidden of images, x is 8"},
		{"counted again", "[model]\npreset = \"masked\"\nencoder = [{ layer = \"patch_embed\", size = 4, units = 8 }, { layer = \"transformer\", positions = \"learned\" }]\n", []int{1, 8, 8},
			"preset masked:14: model.corruption: the transformer at model.encoder[1] would count the patches that are left: leave its positions out, patch_embed adds them"},
		{"bounded", "[model]\npreset = \"masked\"\n[model.reconstruction]\nkind = \"bce\"\nnormalize = \"patch\"\n", []int{1, 8, 8},
			"t.toml:5: model.reconstruction.normalize: standardised patches are any numbers, which bce does not take: use mse or gaussian"},
		{"no patches", "[model]\n[model.reconstruction]\nkind = \"mse\"\nnormalize = \"patch\"\n", []int{1, 8, 8},
			"t.toml:4: model.reconstruction.normalize: there are no patches: let the encoder begin with patch_embed, or choose the corruption patches"},
		{"pixels of a patch", "[model]\npreset = \"masked\"\ndecoder = [{ layer = \"dense\", units = 9 }]\n", []int{1, 8, 8},
			"t.toml:3: model.decoder[0]: gives 4x9, the input is 1x8x8: leave out units, or add a layer that gives 16"},
	} {
		if got := sentence(c.text, c.x...); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}
