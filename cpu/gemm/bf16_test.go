package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"aetrain/cpu/cpuinfo"
)

// MicroPairsReference runs the reference of the tiles of pairs.
func MicroPairsReference(a *Args, rows, cols int) { microPairsGo(a, rows, cols) }

// TestBF16 multiplies rounded matrices in every orientation, odd K too, and compares with their products in float64: what bfloat16
// loses is lost by rounding the operands alone.
func TestBF16(t *testing.T) {
	eachTier(t, func(t *testing.T, tier cpuinfo.Tier) {
		rng := rand.New(rand.NewPCG(10, uint64(tier)))
		for range 60 {
			s := Shape{M: 1 + rng.IntN(70), N: 1 + rng.IntN(70), K: 1 + rng.IntN(90), TransA: rng.IntN(2) == 0, TransB: rng.IntN(2) == 0, Accumulate: rng.IntN(2) == 0}
			if err := checkBF16(rng, tier, s); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func checkBF16(rng *rand.Rand, tier cpuinfo.Tier, s Shape) error {
	half := s
	half.K = (s.K + 1) / 2
	pairs := func(rows, cols int, trans, down bool) (exact []float64, p []float32) {
		rows, cols = stored(rows, cols, trans)
		x := random(rng, rows*cols)
		for _, v := range x {
			exact = append(exact, float64(math.Float32frombits(roundBF16(v)&0xffff0000)))
		}
		size := (rows + 1) / 2 * cols
		if !down {
			size = rows * ((cols + 1) / 2)
		}
		p = make([]float32, size)
		Pairs(p, x, rows, cols, cols, down)
		return exact, p
	}
	exactA, a := pairs(s.M, s.K, s.TransA, s.TransA)
	exactB, b := pairs(s.K, s.N, s.TransB, !s.TransB)
	c, bias := random(rng, s.M*s.N), random(rng, s.N)
	before := append([]float32{}, c...)
	p := NewPlan(tier, half, Options{BF16: true})
	shared, local := Alloc(p.SharedFloats()), Alloc(p.LocalFloats())
	for i := range p.PackTasks() {
		p.Pack(i, a, b, shared)
	}
	for i := range p.Tasks() {
		p.Do(i, &Call{A: a, B: b, C: c, Shared: shared, Local: local, Bias: bias, ReLU: true})
	}
	for m := range s.M {
		for n := range s.N {
			want := float64(bias[n])
			if s.Accumulate {
				want += float64(before[m*s.N+n])
			}
			for k := range s.K {
				x, y := m*s.K+k, k*s.N+n
				if s.TransA {
					x = k*s.M + m
				}
				if s.TransB {
					y = n*s.K + k
				}
				want += exactA[x] * exactB[y]
			}
			if got := float64(c[m*s.N+n]); math.Abs(got-max(0, want)) > 2e-5 {
				return fmt.Errorf("%v %v: [%d][%d] is %v, want %v", tier, s, m, n, got, max(0, want))
			}
		}
	}
	return nil
}
