//go:build gpu

package gpu_test

import (
	"strings"
	"testing"

	"aetrain/backend"
	"aetrain/backend/backendtest"
	"aetrain/gpu"
)

// needGPU skips where there is no device, with the reason.
func needGPU(t *testing.T) {
	t.Helper()
	if _, err := gpu.Devices(); err != nil {
		t.Skipf("no GPU: %v", err)
	}
}

// open opens the first device until the test ends.
func open(t *testing.T, opts ...gpu.Option) *gpu.Backend {
	t.Helper()
	needGPU(t)
	b, err := gpu.Open(0, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// TestBackend runs the whole suite with the libraries, with chains that NVRTC compiles, and with our own kernels alone, each buffer
// in memory of its own. Compiling each of its thousands of chains takes minutes, and on a driver without a device it would take hours:
// there, those that NVRTC compiles have tests of their own.
func TestBackend(t *testing.T) {
	needGPU(t)
	t.Run("libraries", func(t *testing.T) {
		backendtest.Run(t, func() (backend.Backend, error) { return gpu.Open(0, gpu.Without("nvrtc")) }, backendtest.Strict, backendtest.Candidates(gpu.Kernels()))
	})
	t.Run("own", func(t *testing.T) {
		alone := []gpu.Option{gpu.Without("cublaslt"), gpu.Without("cudnn"), gpu.Without("nvrtc"), gpu.Apart()}
		backendtest.Run(t, func() (backend.Backend, error) { return gpu.Open(0, alone...) }, backendtest.Strict)
	})
	t.Run("nvrtc", func(t *testing.T) {
		if fake() {
			t.Skip("the fake NVRTC takes a second for each chain")
		}
		backendtest.Run(t, func() (backend.Backend, error) { return gpu.Open(0) }, backendtest.Strict)
	})
}

// fake reports whether the driver is the one in host memory.
func fake() bool {
	infos, err := gpu.Devices()
	return err == nil && len(infos) > 0 && strings.Contains(infos[0].Name, "fake")
}

// TestPlatform: what bits depend on is named, but for libraries that are not used.
func TestPlatform(t *testing.T) {
	got := open(t, gpu.Without("cudnn")).Capabilities().Platform
	for _, name := range []string{"device", "compute_capability", "driver", "cublaslt", "nvrtc"} {
		if got[name] == "" {
			t.Errorf("%s is not named: %v", name, got)
		}
	}
	if got["cudnn"] != "" {
		t.Errorf("cuDNN is named and not used: %v", got)
	}
}
