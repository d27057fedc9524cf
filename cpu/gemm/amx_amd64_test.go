//go:build amd64 && !noasm

package gemm

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"aetrain/cpu/cpuinfo"
)

// TestBlocksAMX runs blocks of tiles of every height and width, in the emulator and on a processor that has them, against the
// reference: the same bits, what is tiny and what is not a number too, and nothing written beside them.
func TestBlocksAMX(t *testing.T) {
	t.Run("emulator", func(t *testing.T) {
		e := newEmulator(t)
		everyBlock(t, func(a *tileArgs, rows, cols int) error {
			e.call(t, fmt.Sprintf("t%dx%d", up(rows, 16), up(cols, 16)), uint64(uintptr(unsafe.Pointer(a))))
			if e.tiles.configured {
				return errors.New("the tiles are not released")
			}
			return nil
		})
	})
	t.Run("processor", func(t *testing.T) {
		skipWithoutTiles(t)
		everyBlock(t, func(a *tileArgs, rows, cols int) error {
			blocks(a, rows, cols)
			return nil
		})
	})
}

func skipWithoutTiles(t *testing.T) {
	if err := cpuinfo.RequestAMX(); err != nil {
		t.Skip(err)
	}
}

func everyBlock(t *testing.T, run func(a *tileArgs, rows, cols int) error) {
	rng := rand.New(rand.NewPCG(11, 0))
	for rows := 1; rows <= tileBlock; rows++ {
		for cols := 1; cols <= tileBlock; cols++ {
			if testing.Short() && (rows+cols)%5 != 0 && rows%16 > 1 && cols%16 > 1 {
				continue
			}
			c := newTileCase(rng, min(rows, 14), cols, TileK*rng.IntN(4), 1, 1, 0)
			c.resize(rng, rows, 1+rng.IntN(2))
			if err := c.checkBlocks(run); err != nil {
				t.Fatalf("%dx%d, K %d, %d blocks, flags %05b: %v", rows, cols, c.k, c.tiles, c.args.Flags, err)
			}
		}
	}
}

// resize makes c a case of blocks of rows, which Args.Rows has no room for, of numbers of all sizes.
func (t *tileCase) resize(rng *rand.Rand, rows, tiles int) {
	t.rows, t.tiles = rows, tiles
	row, ldc := t.k+segmentGap, t.cols+rowGap
	t.a, t.c, t.aux = random(rng, rows*tiles*row+1), random(rng, rows*tiles*ldc), random(rng, rows*tiles*ldc)
	t.rowBias = random(rng, rows*tiles)
	for _, x := range [][]float32{t.a, t.b} {
		for i := range x {
			low, high := x[i], 2*rng.Float32()-1
			switch rng.IntN(40) {
			case 0:
				low *= 0x1p-75 // products are tiny
			case 1:
				high *= 0x1p-127 // itself denormal
			case 2:
				low = 0x1p60 * low
			}
			x[i] = pair(low, high)
		}
	}
	if rng.IntN(30) == 0 && len(t.a) > 1 {
		t.a[rng.IntN(len(t.a))] = pair(float32(math.NaN()), float32(math.Inf(1)))
	}
	g := &t.args
	g.A, g.C, g.Aux, g.RowBias = ptr(t.a, 0), ptr(t.c, 0), ptr(t.aux, 0), ptr(t.rowBias, 0)
	g.SegA, g.Flags = 0, uintptr(rng.IntN(32))
	g.Tiles, g.TileA, g.TileC = uintptr(tiles), uintptr(rows*row*4), uintptr(rows*ldc*4)
}

// checkBlocks compares what run leaves in C with the reference.
func (t *tileCase) checkBlocks(run func(a *tileArgs, rows, cols int) error) error {
	before, sums := append([]float32{}, t.c...), make([]float32, sumFloats)
	for i := range sums {
		sums[i] = float32(math.NaN())
	}
	a := tileArgs{Args: t.args, sums: unsafe.Pointer(&sums[0]), height: uintptr(t.rows), ldc: uintptr(t.cols+rowGap) * 4}
	a.mask = uintptr(uint64(1)<<t.cols - 1)
	a.configure(t.rows, t.cols)
	blocksGo(&a, t.rows, t.cols)
	want := append([]float32{}, t.c...)
	copy(t.c, before)
	if err := run(&a, t.rows, t.cols); err != nil {
		return err
	}
	for i, w := range want {
		if g := t.c[i]; math.Float32bits(g) != math.Float32bits(w) && (g == g || w == w) {
			return fmt.Errorf("C[%d] = %g, want %g", i, g, w)
		}
	}
	return nil
}
