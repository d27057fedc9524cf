//go:build gpu

package gpu_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"aetrain/backend"
	"aetrain/cpu"
	"aetrain/gpu"
	"aetrain/graph"
	"aetrain/trainer"
	"aetrain/trainer/trainertest"
)

// trainings are whole experiments of twenty steps and more. A bias before batch norm has no gradient but rounding errors, which
// Adam makes as large as any other: those layers have none. So it is with the keys' bias of attention: those models are trained by SGD.
var trainings = map[string]string{
	"dense-vae": `
[data]
source = "random"
shape = [784]
examples = 672
batch = 32
validation = 32
[model]
preset = "vae"
latent_dim = 20
encoder = [{ layer = "dense", units = 64, activation = "relu" }]
[train]
epochs = 1
log_every_steps = 5
clip_norm = 100
`,
	"conv-vae": `
[data]
source = "random"
shape = [3, 12, 12]
examples = 170
batch = 8
validation = 10
[model]
preset = "conv-vae"
latent_dim = 4
encoder = [
  { layer = "conv2d", filters = 8, kernel = 3, stride = 2, padding = "same", norm = "batch", bias = false, activation = "relu" },
  { layer = "conv2d", filters = 12, kernel = 3, stride = 2, padding = 1, norm = "batch", bias = false, activation = "leaky_relu" },
  { layer = "flatten" },
  { layer = "dense", units = 16, activation = "relu" },
]
[train]
epochs = 1
log_every_steps = 5
`,
	"denoising": `
[data]
source = "random"
shape = [1, 14, 14]
examples = 330
batch = 16
validation = 10
[model]
preset = "denoising"
latent_dim = 6
encoder = [
  { layer = "conv2d", filters = 6, kernel = 3, padding = "same", activation = "relu" },
  { layer = "max_pool2d", kernel = 2 },
  { layer = "flatten" },
]
[optimizer]
name = "adamw"
[train]
epochs = 1
log_every_steps = 5
accumulate = 2
`,
	"adversarial": `
[data]
source = "random"
shape = [24]
examples = 176
batch = 8
validation = 16
[model]
preset = "aae"
latent_dim = 3
encoder = [{ layer = "dense", units = 12, activation = "leaky_relu" }]
[model.adversaries.latent]
layers = [{ layer = "dense", units = 10, activation = "leaky_relu" }]
[train]
epochs = 1
log_every_steps = 5
`,
	"vae-gan": `
[data]
source = "random"
shape = [2, 8, 8]
examples = 176
batch = 8
validation = 16
[model]
preset = "vae-gan"
latent_dim = 3
encoder = [{ layer = "conv2d", filters = [4, 6], kernel = 3, stride = 2, padding = "same", norm = "batch", bias = false, activation = "relu" }]
[model.adversaries.image]
layers = [
  { layer = "conv2d", filters = 4, kernel = 3, stride = 2, padding = "same", norm = "batch", bias = false, activation = "relu" },
  { layer = "conv2d", name = "features", filters = 6, kernel = 3, stride = 2, padding = "same", norm = "batch", bias = false, activation = "relu" },
  { layer = "flatten" },
  { layer = "dense", units = 8, activation = "relu" },
]
[train]
epochs = 1
log_every_steps = 5
`,
	"every-steps": `
[data]
source = "random"
shape = [24]
examples = 176
batch = 8
validation = 16
[model]
preset = "wae-gan"
latent_dim = 3
encoder = [{ layer = "dense", units = 12, activation = "leaky_relu" }]
[model.adversaries.latent]
layers = [{ layer = "dense", units = 10, activation = "leaky_relu", spectral_norm = true }]
every_steps = 3
[train]
epochs = 1
log_every_steps = 5
`,
	"augmented": `
[data]
source = "random"
shape = [3, 12, 12]
examples = 180
batch = 8
validation = 16
transforms = [
  { kind = "random-crop", size = 10 }, { kind = "flip" }, { kind = "rotate" }, { kind = "color-jitter" },
  { kind = "random-crop", size = 8, scale = [0.5, 1.0] }, { kind = "noise", sigma = 0.05 }, { kind = "scale" },
]
[model]
preset = "conv-vae"
latent_dim = 4
encoder = [
  { layer = "conv2d", filters = 8, kernel = 3, stride = 2, padding = "same", activation = "relu" },
  { layer = "flatten" },
]
[train]
epochs = 1
log_every_steps = 5
accumulate = 2
`,
	"lstm": `
[data]
source = "waves"
length = 9
channels = 2
examples = 176
batch = 8
validation = 16
[model]
preset = "lstm"
latent_dim = 3
encoder = [{ layer = "lstm", units = 6, return_sequences = false }]
[train]
epochs = 1
log_every_steps = 5
`,
	"vq": `
[data]
source = "random"
shape = [1, 8, 8]
examples = 176
batch = 8
validation = 16
[model]
preset = "vq-vae"
latent_dim = 4
encoder = [{ layer = "conv2d", filters = 6, kernel = 4, stride = 2, padding = 1, activation = "leaky_relu" }]
[model.bottleneck]
codes = 8
[train]
epochs = 1
log_every_steps = 5
`,
	"masked": `
[data]
source = "random"
shape = [1, 8, 8]
examples = 176
batch = 8
validation = 16
[model]
preset = "masked"
encoder = [{ layer = "patch_embed", size = 2, units = 8 }, { layer = "transformer", heads = 2 }]
decoder = [{ layer = "dense", units = 4 }, { layer = "transformer", heads = 1 }, { layer = "dense" }]
[optimizer]
name = "sgd"
learning_rate = 1e-3
[train]
epochs = 1
log_every_steps = 5
`,
	"text": `
[data]
source = "sentences"
examples = 176
batch = 8
validation = 16
[model]
preset = "text-vae"
latent_dim = 3
encoder = [
  { layer = "embedding", units = 8, positions = "sinusoidal" },
  { layer = "transformer", heads = 2 },
  { layer = "lstm", units = 8, return_sequences = false },
]
decoder = [
  { layer = "repeat" },
  { layer = "teacher_forcing", units = 5, word_dropout = 0.3 },
  { layer = "transformer", heads = 2, dropout = 0.1 },
  { layer = "dense" },
]
[model.corruption]
kind = "tokens"
[optimizer]
name = "sgd"
learning_rate = 1e-3
[train]
epochs = 1
log_every_steps = 5
`,
	"transformer": `
[data]
source = "waves"
length = 8
channels = 2
examples = 176
batch = 8
validation = 16
[model]
preset = "vae"
latent_dim = 3
encoder = [
  { layer = "conv1d", filters = 8, kernel = 3, padding = "causal", dilation = 2, activation = "gelu" },
  { layer = "transformer", heads = 2, causal = true, positions = "learned" },
  { layer = "residual", layers = [{ layer = "layer_norm" }, { layer = "attention", heads = 4 }] },
]
[model.reconstruction]
kind = "gaussian"
[optimizer]
name = "sgd"
learning_rate = 1e-3
[train]
epochs = 1
log_every_steps = 5
`,
}

// TestTraining: a training on the GPU has the losses of the same training on the CPU, and its weights after twenty steps.
func TestTraining(t *testing.T) {
	needGPU(t)
	for name, text := range trainings {
		t.Run(name, func(t *testing.T) {
			processor, err := cpu.Open()
			if err != nil {
				t.Fatal(err)
			}
			defer processor.Close()
			want := train(t, processor, text)
			for device, opts := range map[string][]gpu.Option{
				"libraries": nil,
				"own":       {gpu.Without("cublaslt"), gpu.Without("cudnn"), gpu.Without("nvrtc")},
			} {
				t.Run(device, func(t *testing.T) {
					b := open(t, opts...)
					got := train(t, b, text)
					if len(got.losses) != len(want.losses) || len(got.losses) == 0 {
						t.Fatalf("%d rows of losses, want %d", len(got.losses), len(want.losses))
					}
					for i, w := range want.losses {
						if g := got.losses[i]; math.Abs(g-w) > 1e-3*math.Abs(w) {
							t.Errorf("row %d: loss %v, on the CPU %v", i, g, w)
						}
					}
					for name, w := range want.weights {
						if d := difference(driven(name, got.weights[name]), driven(name, w)); d > 2e-3 {
							t.Errorf("%s differs by %.2g of its largest element", name, d)
						}
					}
				})
			}
		})
	}
}

// driven are the weights that a gradient drives. An attention's bias of keys, the middle of three, moves all scores of a query alike:
// its gradient is nothing but rounding errors, which Adam makes as large as any other.
func driven(name string, w []float32) []float32 {
	if !strings.HasSuffix(name, "in_proj_bias") {
		return w
	}
	return slices.Concat(w[:len(w)/3], w[2*len(w)/3:])
}

// trained is what a training leaves.
type trained struct {
	losses  []float64
	weights map[string][]float32
}

// train trains text on b.
func train(t *testing.T, b backend.Backend, text string) trained {
	t.Helper()
	dir := t.TempDir()
	r, err := prepare(t, b, text, dir, "")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if b.Capabilities().Own && r.Fed != "" {
		t.Errorf("batches are fed: %s", r.Fed)
	}
	if err := r.Fit(context.Background()); err != nil {
		t.Fatal(err)
	}
	out := trained{weights: weights(t, r)}
	rows, err := trainer.ReadRows(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		out.losses = append(out.losses, float64(row.Metrics["loss"]))
	}
	return out
}

// prepare makes the training that text describes, in dir, going on from the checkpoint resume where it names one.
func prepare(t *testing.T, b backend.Backend, text, dir, resume string) (*trainer.Run, error) {
	t.Helper()
	o := trainertest.Must(t, text).Options
	o.Dir, o.Seed, o.Backend, o.Resume, o.Kernels = dir, 1, b, resume, backend.Options{Strict: true}
	return trainer.New(o)
}

// weights are the values of a model's parameters.
func weights(t *testing.T, r *trainer.Run) map[string][]float32 {
	t.Helper()
	all := map[string][]float32{}
	for _, name := range r.State.Names() {
		spec, kind, _ := r.State.Spec(name)
		if kind != graph.Param || spec.DType != graph.Float32 {
			continue
		}
		h := backend.NewHost(spec)
		if err := r.State.Read(name, h); err != nil {
			t.Fatal(fmt.Errorf("%s: %w", name, err))
		}
		all[name] = append([]float32(nil), h.Float32s()...)
	}
	return all
}

// TestTrainingPrecision: with products of tf32 and bf16 a loss curve stays within a bound of float32's: operands are rounded to 11 and
// 8 bits, and a loss, a mean over hundreds of sums, is off by less than one such rounding.
func TestTrainingPrecision(t *testing.T) {
	needGPU(t)
	for _, name := range []string{"dense-vae", "conv-vae"} {
		t.Run(name, func(t *testing.T) {
			b := open(t, gpu.Without("nvrtc"))
			want := train(t, b, trainings[name])
			for _, tt := range []struct {
				precision string
				bound     float64 // of a loss, relative
			}{{"tf32", 1. / (1 << 11)}, {"bf16", 1. / (1 << 8)}} {
				if !slices.Contains(b.Capabilities().Precisions, tt.precision) {
					t.Logf("no %s on this device", tt.precision)
					continue
				}
				got := train(t, b, strings.Replace(trainings[name], "[train]", "[train]\nprecision = \""+tt.precision+"\"", 1))
				if len(got.losses) != len(want.losses) || len(got.losses) == 0 {
					t.Fatalf("%s: %d rows of losses, want %d", tt.precision, len(got.losses), len(want.losses))
				}
				most := 0.0
				for i, w := range want.losses {
					off := math.Abs(got.losses[i]-w) / math.Abs(w)
					most = max(most, off)
					if !(off <= tt.bound) {
						t.Errorf("%s, row %d: loss %v, in float32 %v", tt.precision, i, got.losses[i], w)
					}
				}
				t.Logf("%s: losses are within %.2g of float32's", tt.precision, most)
				if most == 0 {
					t.Errorf("%s: the losses are float32's to the last bit: its products were not rounded", tt.precision)
				}
			}
		})
	}
}

// difference is the largest difference of two tensors, relative to the largest element.
func difference(got, want []float32) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	most, scale := 0.0, 1e-3
	for i, w := range want {
		scale = max(scale, math.Abs(float64(w)))
		most = max(most, math.Abs(float64(got[i]-w)))
	}
	return most / scale
}
