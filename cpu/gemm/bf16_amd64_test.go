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

// TestTilesBF16 runs every tile of pairs in the emulator, and on the processor if it has them, against the reference.
func TestTilesBF16(t *testing.T) {
	e := newEmulator(t)
	rng := rand.New(rand.NewPCG(8, 0))
	geo := geometries[cpuinfo.AVX512]
	for rows := 1; rows <= geo.mr; rows++ {
		for cols := 1; cols <= geo.nr; cols++ {
			c := newTileCase(rng, rows, cols, rng.IntN(6), 1+rng.IntN(3), 1, uintptr(rng.IntN(32)))
			for _, x := range [][]float32{c.a, c.b} {
				for i := range x {
					x[i] = pair(x[i], 2*rng.Float32()-1)
				}
			}
			before := append([]float32{}, c.c...)
			MicroPairsReference(&c.args, rows, cols)
			want := append([]float32{}, c.c...)
			run := map[string]func(){"emulator": func() {
				c.args.mask = uintptr(uint64(1)<<cols - 1)
				width := 16
				if cols > 16 {
					width = 32
				}
				e.call(t, fmt.Sprintf("h%dx%d", rows, width), uint64(uintptr(unsafe.Pointer(&c.args))))
			}}
			if hasPairs {
				run["processor"] = func() { MicroPairs(&c.args, rows, cols) }
			}
			for name, f := range run {
				copy(c.c, before)
				f()
				for i, w := range want {
					if c.c[i] != w {
						t.Fatalf("%s: %dx%d, K %d, %d segments, flags %b: C[%d] = %g, want %g", name, rows, cols, c.k, c.segs, c.args.Flags, i, c.c[i], w)
					}
				}
			}
		}
	}
}

// TestPairs512 makes pairs in the emulator as Go does.
func TestPairs512(t *testing.T) {
	e := newEmulator(t)
	rng := rand.New(rand.NewPCG(9, 0))
	src := random(rng, 128)
	for i, x := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 0, math.MaxFloat32, -1, 1e-40,
		math.Float32frombits(0x3f808000), math.Float32frombits(0x3f818000), math.Float32frombits(0x7fffffff), math.Float32frombits(0xff800001)} {
		src[3*i] = x
	}
	address := func(s []float32) uint64 { return uint64(uintptr(ptr(s, 0))) }
	check := func(name string, got []float32, want func(i int) float32) {
		t.Helper()
		for i := range got {
			if g, w := math.Float32bits(got[i]), math.Float32bits(want(i)); g != w {
				t.Errorf("%s: pair %d is %08x, want %08x", name, i, g, w)
			}
		}
	}
	for _, n := range []int{16, 48} {
		dst := make([]float32, n)
		e.call(t, "pairs512", address(dst), address(src), uint64(n))
		check("along a row", dst, func(i int) float32 { return pair(src[2*i], src[2*i+1]) })
		e.call(t, "pairRows512", address(dst), address(src), address(src[64:]), uint64(n))
		check("of two rows", dst, func(i int) float32 { return pair(src[i], src[64+i]) })
	}
}
