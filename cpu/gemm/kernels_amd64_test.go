//go:build amd64 && !noasm

package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"aetrain/cpu/cpuinfo"
)

// tileCase is a microkernel's work with memory that ends where the operands end.
type tileCase struct {
	rows, cols, k, segs, tiles int
	a, b, c, aux               []float32
	bias, rowBias              []float32
	args                       Args
}

const (
	segmentGap = 3 // floats between segments of A
	rowGap     = 2 // floats between rows of C
)

func newTileCase(rng *rand.Rand, rows, cols, k, segs, tiles int, flags uintptr) *tileCase {
	t := &tileCase{rows: rows, cols: cols, k: k, segs: segs, tiles: tiles}
	row, ldb, ldc := segs*(k+segmentGap), cols+1, cols+rowGap
	t.a, t.b = random(rng, rows*tiles*row+1), random(rng, segs*k*ldb+1)
	t.c, t.aux = random(rng, rows*tiles*ldc), random(rng, rows*tiles*ldc)
	t.bias, t.rowBias = random(rng, cols), random(rng, rows*tiles)
	g := &t.args
	g.A, g.B, g.C, g.Aux = ptr(t.a, 0), ptr(t.b, 0), ptr(t.c, 0), ptr(t.aux, 0)
	g.Bias, g.RowBias = ptr(t.bias, 0), ptr(t.rowBias, 0)
	g.K, g.Segs, g.SegA = uintptr(k), uintptr(segs), segmentGap*4
	g.SAM, g.SAK, g.SBK, g.Flags = uintptr(row*4), 4, uintptr(ldb*4), flags
	g.Tiles, g.TileA, g.TileC = uintptr(tiles), uintptr(rows*row*4), uintptr(rows*ldc*4)
	for r := range rows {
		g.Rows[r] = uintptr(r * ldc * 4)
	}
	return t
}

// want is the definition of Args.
func (t *tileCase) want() []float32 {
	out := append([]float32{}, t.c...)
	row, ldb, ldc := t.segs*(t.k+segmentGap), t.cols+1, t.cols+rowGap
	for r := range t.rows * t.tiles {
		for j := range t.cols {
			sum := 0.0
			for s := range t.segs {
				for k := range t.k {
					sum += float64(t.a[r*row+s*(t.k+segmentGap)+k]) * float64(t.b[(s*t.k+k)*ldb+j])
				}
			}
			f := t.args.Flags
			if f&Accumulate != 0 {
				sum += float64(t.c[r*ldc+j])
			}
			if f&AddBias != 0 {
				sum += float64(t.bias[j])
			}
			if f&AddRowBias != 0 {
				sum += float64(t.rowBias[r])
			}
			if f&ReLU != 0 {
				sum = math.Max(sum, 0)
			}
			if f&MaskReLU != 0 && t.aux[r*ldc+j] <= 0 {
				sum = 0
			}
			out[r*ldc+j] = float32(sum)
		}
	}
	return out
}

// TestTiles runs every tile kernel of each tier. The AVX-512 ones run in the emulator where the processor lacks them.
func TestTiles(t *testing.T) {
	emulated := newEmulator(t)
	for _, tier := range []cpuinfo.Tier{cpuinfo.Go, cpuinfo.AVX2, cpuinfo.AVX512} {
		t.Run(tier.String(), func(t *testing.T) {
			native := cpuinfo.Has(tier)
			if !native && tier != cpuinfo.AVX512 {
				t.Skipf("this processor has no %v", tier)
			}
			rng := rand.New(rand.NewPCG(6, uint64(tier)))
			geo := geometries[tier]
			for rows := 1; rows <= geo.tall; rows++ {
				for cols := 1; cols <= geo.nr; cols++ {
					if rows > geo.mr && cols > geo.thin {
						continue
					}
					tiles := 1
					if native {
						tiles += rng.IntN(3)
					}
					c := newTileCase(rng, rows, cols, rng.IntN(6), 1+rng.IntN(3), tiles, uintptr(rng.IntN(32)))
					want := c.want()
					if native {
						Micro(tier, &c.args, rows, cols)
					} else {
						c.args.mask = uintptr(uint64(1)<<cols - 1)
						width := 16
						if cols > 16 {
							width = 32
						}
						emulated.call(t, fmt.Sprintf("z%dx%d", rows, width), uint64(uintptr(unsafe.Pointer(&c.args))))
					}
					for i, w := range want {
						if math.Abs(float64(c.c[i]-w)) > 1e-5 {
							t.Fatalf("%dx%d, K %d, %d segments, %d tiles, flags %b: C[%d] = %g, want %g",
								rows, cols, c.k, c.segs, c.tiles, c.args.Flags, i, c.c[i], w)
						}
					}
				}
			}
		})
	}
}

// TestPack512 runs the packers of the AVX-512 tier in the emulator.
func TestPack512(t *testing.T) {
	e := newEmulator(t)
	rng := rand.New(rand.NewPCG(7, 0))
	address := func(s []float32) uint64 { return uint64(uintptr(ptr(s, 0))) }
	for n := 1; n <= 16; n++ {
		src, dst := random(rng, 15*19+16), make([]float32, 16*32)
		e.call(t, "transpose512", address(dst), address(src), 32*4, 19*4, uint64(n))
		for j := range 16 {
			for c := range 16 {
				want := float32(0)
				if c < n {
					want = src[c*19+j]
				}
				if got := dst[j*32+c]; got != want {
					t.Fatalf("transpose of %d rows: [%d][%d] = %g, want %g", n, j, c, got, want)
				}
			}
		}
	}
	for w := 1; w <= 32; w++ {
		src, dst := random(rng, 2*37+w), random(rng, 3*32)
		e.call(t, "packRows512", address(dst), address(src), 3, 37*4, uint64(1)<<w-1)
		for i, got := range dst {
			want := float32(0)
			if i%32 < w {
				want = src[i/32*37+i%32]
			}
			if got != want {
				t.Fatalf("rows of %d: [%d] = %g, want %g", w, i, got, want)
			}
		}
	}
}
