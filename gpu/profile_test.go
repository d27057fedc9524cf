//go:build gpu

package gpu_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"aetrain/backend"
	"aetrain/gpu"
)

// TestProfile times each step of trainings, of which some look up rows by indices that they have computed, and ends with its context.
func TestProfile(t *testing.T) {
	for _, name := range []string{"conv-vae", "vq", "lstm"} {
		t.Run(name, func(t *testing.T) {
			b := open(t, gpu.Without("nvrtc"))
			r, err := prepare(t, b, trainings[name], t.TempDir(), "")
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if err := r.Fit(t.Context()); err != nil {
				t.Fatal(err)
			}
			over, cancel := context.WithCancel(t.Context())
			cancel()
			for _, e := range r.Executables() {
				times, err := e.(backend.Profiler).Profile(t.Context(), 2)
				if err != nil {
					t.Fatal(err)
				}
				sum := time.Duration(0)
				for _, d := range times {
					sum += d
				}
				if n := len(e.Program().Steps); len(times) != n || sum <= 0 {
					t.Errorf("%d steps took %v, the program has %d", len(times), sum, n)
				}
				if err := e.Run(t.Context()); err != nil {
					t.Errorf("running it afterwards: %v", err)
				}
				if _, err := e.(backend.Profiler).Profile(over, 1); !errors.Is(err, context.Canceled) {
					t.Errorf("with a context that is over: %v", err)
				}
			}
		})
	}
}
