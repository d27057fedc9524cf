package vec

import (
	"math"
	"testing"

	"aetrain/internal/philox"
)

// TestRandomBits holds every tier to the bits of internal/philox, for every length and any counter.
func TestRandomBits(t *testing.T) {
	eachTier(t, func(t *testing.T, k *Kernels) {
		r := philox.New(6, 0)
		for round := range 20 {
			for _, n := range lengths {
				seed, block0, row, step, stream := r.Uint64(), r.Uint32(), r.Uint32(), r.Uint32(), r.Uint32()
				if round == 0 { // the counter's block wraps
					block0 = math.MaxUint32 - 3
				}
				got, want := make([]float32, n+1), make([]float32, n)
				for _, c := range []struct {
					name string
					f, g Random
				}{{"Uniforms", k.Uniforms, philox.Uniforms}, {"Normals", k.Normals, philox.NormalsRow}} {
					got[n] = guard
					c.f(got[:n], seed, block0, row, step, stream)
					c.g(want, seed, block0, row, step, stream)
					for i, w := range want {
						if math.Float32bits(got[i]) != math.Float32bits(w) {
							t.Fatalf("%s(%d elements, %#x, %d, %d, %d, %d): element %d is %v, want %v",
								c.name, n, seed, block0, row, step, stream, i, got[i], w)
						}
					}
					if got[n] != guard {
						t.Fatalf("%s of %d wrote beyond dst", c.name, n)
					}
				}
			}
		}
	})
}
