package cpu_test

import (
	"flag"
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

// Flags of TestShapes: go test ./cpu -run '^TestShapes$' -shapes 10m -seed 123.
var (
	shapesFor = flag.Duration("shapes", 0, "how long to draw shapes; 0: a few of them")
	firstSeed = flag.Uint64("seed", 0, "of the shapes; 0: another one each time, where -shapes is given")
)

// TestShapes runs the backend at drawn shapes on every tier that the processor has (make fuzz-shapes).
func TestShapes(t *testing.T) {
	seed := *firstSeed
	if seed == 0 && *shapesFor > 0 {
		seed = rand.Uint64N(1 << 40)
	}
	var tiers []backend.Backend
	for _, tier := range cpuinfo.Tiers() {
		b, err := cpu.Open(cpu.ISA(tier.String()), cpu.Threads(2))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.Close() })
		tiers = append(tiers, b)
	}
	backendtest.Shapes(t, tiers, cpu.Kernels(), seed, *shapesFor, func(t *testing.T, b backend.Backend, rng *rand.Rand) {
		drawRecurrent(rng).check(t, b)
	})
}
