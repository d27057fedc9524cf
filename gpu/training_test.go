//go:build gpu

package gpu_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"aetrain/backend"
	"aetrain/configs"
	"aetrain/cpu"
	"aetrain/data"
	"aetrain/gpu"
	"aetrain/graph"
	"aetrain/model"
	"aetrain/optim"
	"aetrain/trainer"
)

// trainings are whole experiments of twenty steps and more. A bias before batch norm has no gradient but rounding errors, which
// Adam makes as large as any other: those layers have none.
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
						if d := difference(got.weights[name], w); d > 2e-3 {
							t.Errorf("%s differs by %.2g of its largest element", name, d)
						}
					}
				})
			}
		})
	}
}

// trained is what a training leaves.
type trained struct {
	losses  []float64
	weights map[string][]float32
}

// train trains text on b for one epoch.
func train(t *testing.T, b backend.Backend, text string) trained {
	t.Helper()
	cfg, err := configs.Load(configs.LoadOptions{File: "t.toml", Bytes: []byte(text), Presets: model.Presets(), DefaultPreset: model.DefaultPreset})
	if err != nil {
		t.Fatal(err)
	}
	dc, _ := data.Read(cfg)
	mc, _ := model.Read(cfg)
	oc, _ := optim.Read(cfg.Section("optimizer"))
	tc, _ := trainer.Read(cfg)
	if err := cfg.Err(); err != nil {
		t.Fatal(err)
	}
	splits, err := data.Open(context.Background(), dc, data.OpenOptions{Seed: cfg.Seed})
	if err != nil {
		t.Fatal(err)
	}
	defer splits.Close()
	var fields []model.Field
	for _, f := range splits.Fields() {
		fields = append(fields, model.Field(f))
	}
	m, err := model.New(mc, fields)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	r, err := trainer.New(trainer.Options{Dir: dir, Name: "t", Seed: 1, Train: tc, Data: dc, Optimizer: oc, Model: m, Splits: splits, Backend: b})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Fit(context.Background()); err != nil {
		t.Fatal(err)
	}
	out := trained{weights: map[string][]float32{}}
	rows, err := trainer.ReadRows(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		out.losses = append(out.losses, float64(row.Metrics["loss"]))
	}
	for _, name := range r.State.Names() {
		spec, kind, _ := r.State.Spec(name)
		if kind != graph.Param || spec.DType != graph.Float32 {
			continue
		}
		h := backend.NewHost(spec)
		if err := r.State.Read(name, h); err != nil {
			t.Fatal(fmt.Errorf("%s: %w", name, err))
		}
		out.weights[name] = append([]float32(nil), h.Float32s()...)
	}
	return out
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
