//go:build gpu

package gpu_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"aetrain/checkpoint"
	"aetrain/gpu"
	"aetrain/gpu/driver"
	"aetrain/gpu/faketest"
)

// TestDiagnosis: a training whose kernel fails in the middle of a recorded graph ends with an error that names the layer, the op and
// the kernel. Its last checkpoint is whole: a device that is opened again goes on from there, and ends where an undisturbed training does.
func TestDiagnosis(t *testing.T) {
	needFake(t)
	text := strings.Replace(small, "epochs = 1", "epochs = 4", 1)
	alone := []gpu.Option{gpu.Without("cublaslt"), gpu.Without("cudnn"), gpu.Without("nvrtc")}
	faketest.ResetCalls()
	whole := session(t, text, t.TempDir(), "", alone)
	if whole.err != nil {
		t.Fatal(whole.err)
	}
	tests := []struct{ kernel, path, op string }{
		{"batch_norm", "encoder.", "BatchNorm"},
		{"batch_norm_grad", "decoder.", "BatchNormGrad"}, // the first on the way back
		{"gaussian_sample_kl", "bottleneck", "GaussianSample"},
	}
	for _, tt := range tests {
		t.Run(tt.kernel, func(t *testing.T) {
			n := whole.kernels[tt.kernel]
			if n == 0 {
				t.Fatalf("%s never ran: %v", tt.kernel, whole.kernels)
			}
			dir := t.TempDir()
			faketest.ResetCalls()
			faketest.Fail("kernel "+tt.kernel, -(n * 3 / 4), 700) // in the third epoch or later
			var got ended
			if err := inTime(t, func() error { got = session(t, text, dir, "", alone); return nil }); err != nil {
				t.Fatal(err)
			}
			faketest.ResetCalls()
			if !errors.Is(got.err, driver.ErrLost) {
				t.Fatalf("got %v, want an error of a lost device", got.err)
			}
			for _, want := range []string{tt.path, tt.op, tt.kernel, "the device is lost"} {
				if !strings.Contains(got.err.Error(), want) {
					t.Errorf("the error does not name %q: %v", want, got.err)
				}
			}
			again := session(t, text, dir, filepath.Join(dir, checkpoint.Folder, "last"), alone)
			if again.err != nil {
				t.Fatalf("going on: %v", again.err)
			}
			for name, want := range whole.weights {
				if d := difference(again.weights[name], want); d != 0 {
					t.Errorf("%s differs by %.2g from a training that nothing disturbed", name, d)
				}
			}
		})
	}
}

// ended is how a training on a device of its own has ended.
type ended struct {
	err     error
	weights map[string][]float32
	kernels map[string]int // how often each has run
}

// session opens the device, trains text there, from a checkpoint where resume names one, and closes it.
func session(t *testing.T, text, dir, resume string, opts []gpu.Option) (e ended) {
	t.Helper()
	b, err := gpu.Open(0, opts...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { e.err = errors.Join(e.err, b.Close()) }()
	r, err := prepare(t, b, text, dir, resume)
	if err != nil {
		return ended{err: err}
	}
	defer r.Close()
	if e.err = r.Fit(t.Context()); e.err == nil {
		e.weights = weights(t, r)
	}
	e.kernels = faketest.Kernels()
	return e
}
