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

// TestBF16 multiplies rounded matrices in every orientation, odd K too, with and without tiles, and compares with their products in
// float64: what bfloat16 loses is lost by rounding the operands alone.
func TestBF16(t *testing.T) {
	eachTier(t, func(t *testing.T, tier cpuinfo.Tier) {
		rng := rand.New(rand.NewPCG(10, uint64(tier)))
		for range 60 {
			s := Shape{M: 1 + rng.IntN(70), N: 1 + rng.IntN(70), K: 1 + rng.IntN(90), TransA: rng.IntN(2) == 0, TransB: rng.IntN(2) == 0, Accumulate: rng.IntN(2) == 0}
			o := Options{BF16: true, Tiles: rng.IntN(2) == 0, Tasks: rng.IntN(5), KC: 16 * rng.IntN(3), PackA: Packing(rng.IntN(4)), PackB: Packing(rng.IntN(4))}
			if err := checkBF16(rng, tier, s, o); err != nil {
				t.Fatalf("%+v: %v", o, err)
			}
		}
	})
}

func checkBF16(rng *rand.Rand, tier cpuinfo.Tier, s Shape, o Options) error {
	half := s
	half.K = (s.K + 1) / 2
	if o.Tiles {
		half.K, half.TransA = up(half.K, TileK), false
	}
	pairs := func(rows, cols int, trans, down bool) (exact []float64, p []float32) {
		rows, cols = stored(rows, cols, trans)
		x := random(rng, rows*cols)
		for _, v := range x {
			exact = append(exact, float64(math.Float32frombits(roundBF16(v)&0xffff0000)))
		}
		switch {
		case o.Tiles && trans && down: // A
			p = random(rng, half.K*cols)
			PairsTransposed(p, x, rows, cols, cols, half.K)
			return exact, p
		case down:
			p = random(rng, half.K*cols)
		default:
			p = random(rng, half.K*rows)
		}
		Pairs(p, x, rows, cols, cols, half.K, down)
		return exact, p
	}
	exactA, a := pairs(s.M, s.K, s.TransA, s.TransA)
	exactB, b := pairs(s.K, s.N, s.TransB, !s.TransB)
	c, bias := random(rng, s.M*s.N), random(rng, s.N)
	before := append([]float32{}, c...)
	p := NewPlan(tier, half, o)
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

// TestTileBits: tiles give the same bits in any order of tasks and from any cut of C, where K is cut alike.
func TestTileBits(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 0))
	s := Shape{M: 75, N: 81, K: 40 * TileK, TransB: true}
	a, b := random(rng, s.M*s.K), random(rng, s.N*s.K)
	for _, x := range [][]float32{a, b} {
		for i := range x {
			x[i] = pair(x[i], 2*rng.Float32()-1)
		}
	}
	var want []float32
	for _, o := range []Options{{}, {Tasks: 9}, {MC: 32, NC: 32}, {PackA: PackShared, PackB: PackShared}, {Serial: true}} {
		o.BF16, o.Tiles = true, true
		p, c := NewPlan(cpuinfo.Best(), s, o), random(rng, s.M*s.N)
		shared, local := Alloc(p.SharedFloats()), Alloc(p.LocalFloats())
		for _, i := range rng.Perm(p.PackTasks()) {
			p.Pack(i, a, b, shared)
		}
		for _, i := range rng.Perm(p.Tasks()) {
			p.Do(i, &Call{A: a, B: b, C: c, Shared: shared, Local: local})
		}
		if want == nil {
			want = c
		}
		for i := range want {
			if c[i] != want[i] {
				t.Fatalf("%+v: C[%d] = %v, was %v", o, i, c[i], want[i])
			}
		}
	}
	call := &Call{A: a, B: b, C: make([]float32, s.M*s.N)}
	p := NewPlan(cpuinfo.Best(), s, Options{BF16: true, Tiles: true, Serial: true})
	call.Local = Alloc(p.LocalFloats())
	if n := testing.AllocsPerRun(3, func() { p.Do(0, call) }); n != 0 {
		t.Errorf("Do allocates %v times", n)
	}
}

// TestPairsTransposed makes pairs of a transposed A, element by element and, on a processor with AVX-512, in blocks. (TestPack512 and
// TestPairs512 run in the emulator what blocks are made of.)
func TestPairsTransposed(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 0))
	for range 50 {
		rows, cols, ld := 1+rng.IntN(120), 1+rng.IntN(60), 60+rng.IntN(9)
		pairs := up((rows+1)/2, TileK)
		src, got, want := random(rng, rows*ld), random(rng, cols*pairs), random(rng, cols*pairs)
		PairsTransposed(got, src, rows, cols, ld, pairs)
		for c := range cols {
			for k := range pairs {
				value := func(r int) float32 {
					if r >= rows {
						return 0
					}
					return src[r*ld+c]
				}
				want[c*pairs+k] = pair(value(2*k), value(2*k+1))
			}
		}
		for i := range want {
			if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
				t.Fatalf("%dx%d: [%d] is %08x, want %08x", rows, cols, i, math.Float32bits(got[i]), math.Float32bits(want[i]))
			}
		}
	}
}
