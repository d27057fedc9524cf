//go:build gpu

package gpu_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aetrain/backend"
	"aetrain/gpu"
	"aetrain/trainer"
)

// TestResume: a training that is interrupted and goes on, in another process as it were, has the bits of one that is not, in every
// precision, with one program a step and with several, fed and made on the device.
func TestResume(t *testing.T) {
	needGPU(t)
	for _, c := range []struct {
		training, precision string
		opts                []gpu.Option
	}{
		{"augmented", "float32", nil},
		{"conv-vae", "tf32", nil},
		{"adversarial", "tf32", []gpu.Option{gpu.Without("nvrtc")}},
		{"conv-vae", "bf16", nil},
		{"dense-vae", "bf16", []gpu.Option{gpu.Without("nvrtc")}},
	} {
		t.Run(c.training+" "+c.precision, func(t *testing.T) {
			b := open(t, c.opts...)
			if !slices.Contains(b.Capabilities().Precisions, c.precision) {
				t.Skipf("no %s on this device", c.precision)
			}
			text := strings.Replace(trainings[c.training], "epochs = 1\n", "epochs = 1\nmax_steps = 12\nprecision = \""+c.precision+"\"\n", 1)
			want := train(t, b, text)
			dir := t.TempDir()
			interrupted := trainPart(t, b, text, dir, "", 5)
			if interrupted.Status != trainer.StatusInterrupted || interrupted.Step != 5 {
				t.Fatalf("%s after step %d", interrupted.Status, interrupted.Step)
			}
			again := trainPart(t, open(t, c.opts...), text, dir, filepath.Join(dir, "checkpoints", "last"), 0)
			for name, w := range want.weights {
				if !slices.Equal(weights(t, again)[name], w) {
					t.Errorf("%s has other bits", name)
				}
			}
		})
	}
}

// trainPart trains text in dir until its end or, where stop is not 0, an interruption after that many steps.
func trainPart(t *testing.T, b backend.Backend, text, dir, resume string, stop int) *trainer.Run {
	t.Helper()
	r, err := prepare(t, b, text, dir, resume)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r.Progress = interrupt{func(step int) {
		if step == stop {
			cancel()
		}
	}}
	if err := r.Fit(ctx); err != nil {
		t.Fatal(err)
	}
	return r
}

// interrupt is a progress display that only counts.
type interrupt struct{ after func(step int) }

func (i interrupt) Step(r *trainer.Run) { i.after(r.Step) }
func (interrupt) Epoch(r *trainer.Run)  {}
func (interrupt) Close()                {}
