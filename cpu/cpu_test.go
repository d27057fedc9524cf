package cpu_test

import (
	"testing"

	"aetrain/backend"
	"aetrain/backend/backendtest"
	"aetrain/cpu"
	"aetrain/cpu/cpuinfo"
)

func TestBackend(t *testing.T) {
	for _, isa := range []string{"go", "avx2", "avx512"} {
		t.Run(isa, func(t *testing.T) {
			if tier, _ := cpuinfo.Parse(isa); !cpuinfo.Has(tier) {
				t.Skipf("this processor has no %s", isa)
			}
			backendtest.Run(t, func() (backend.Backend, error) { return cpu.Open(cpu.ISA(isa)) }, backendtest.Strict, backendtest.Candidates(cpu.Kernels()))
		})
	}
}
