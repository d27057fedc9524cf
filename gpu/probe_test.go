//go:build gpu

package gpu_test

import (
	"errors"
	"strings"
	"testing"

	"aetrain/gpu"
	"aetrain/gpu/driver"
	"aetrain/gpu/faketest"
)

func TestProbe(t *testing.T) {
	needGPU(t)
	if err := gpu.Probe(0); err != nil {
		t.Fatal(err)
	}
	if !faketest.Present() {
		return
	}
	for _, tt := range []struct{ call, want string }{
		{"cuModuleLoadDataEx", "kernels of probe"},
		{"cuMemAlloc", "cuMemAlloc"},
		{"kernel probe", "cuStreamSynchronize"},
	} {
		faketest.ResetCalls()
		faketest.Fail(tt.call, 1, 0)
		err := gpu.Probe(0)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s fails: got %v, want %q", tt.call, err, tt.want)
		}
		if tt.call == "kernel probe" && !errors.Is(err, driver.ErrLost) {
			t.Errorf("%s fails: got %v, want an error of a lost device", tt.call, err)
		}
	}
	if err := gpu.Probe(0); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if l := leftOnDevice(); l != "" {
		t.Errorf("%sare left behind", l)
	}
}
