package cpu_test

import (
	"math/rand/v2"
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

// FuzzShapes runs the backend at drawn shapes on every tier that the processor has (make fuzz-shapes).
func FuzzShapes(f *testing.F) {
	var tiers []backend.Backend
	for _, tier := range cpuinfo.Tiers() {
		b, err := cpu.Open(cpu.ISA(tier.String()), cpu.Threads(2))
		if err != nil {
			f.Fatal(err)
		}
		f.Cleanup(func() { b.Close() })
		tiers = append(tiers, b)
	}
	backendtest.Fuzz(f, tiers, cpu.Kernels(), func(t *testing.T, b backend.Backend, rng *rand.Rand) {
		checkRecurrent(t, b, rng.IntN(3), 1+rng.IntN(40), 1+rng.IntN(4), 1+rng.IntN(12), 1+rng.IntN(40), rng.IntN(2) == 0, rng.IntN(2) == 0)
	})
}
