package gemm

import (
	"encoding/binary"
	"math"
	"unsafe"
)

// Products of bfloat16 on the tiles of AMX. A tile holds 16 rows of 64 bytes: of A 16 rows by TileK pairs, of B TileK pairs by 16
// columns, of C 16 by 16 sums in float32. A product of two tiles sums its TileK pairs from 0, the lower halves and the upper ones
// each for themselves, and adds their sum to C; so a sum's order depends on K alone here, too, but is another than VDPBF16PS's.

// TileK is how many pairs of K a tile holds: with Options.Tiles K is a multiple of it.
const TileK = 16

// A block of C is up to 2×2 tiles, whose sums are stored with rows of tileSums floats before they go to C.
const (
	tileRows  = 16
	tileBlock = 2 * tileRows
	sumFloats = tileBlock * tileBlock
)

// tileGeometry is that of blocks of tiles, in pairs of K. A panel of B has 32 KB. Arithmetic is bought at a tenth of the time that it
// takes vectors, so tasks are larger.
var tileGeometry = geometry{mr: tileBlock, nr: tileBlock, tall: tileBlock, kc: 256, mc: 256, taskFlops: 1.5e8}

// tileArgs is the argument block of the kernels; the generator knows its layout (kernels/asm/gemm_amx.go). Segs is 1, TileC what the
// rows of a block take, and Rows is not read.
type tileArgs struct {
	Args
	sums   unsafe.Pointer // sumFloats
	height uintptr        // rows of a block
	ldc    uintptr        // bytes from row to row of C and of Aux
	config [64]byte       // LDTILECFG's
}

// configure describes blocks of rows×cols sums: T0 T1 above T2 T3, their rows of A T4 and T5, their columns of B T6 and T7. Tiles of
// which nothing is needed have no rows (Intel's manual, volume 1, section 18.3).
func (a *tileArgs) configure(rows, cols int) {
	a.config = [64]byte{0: 1} // the palette
	set := func(tile, rows, bytes int) {
		if rows > 0 && bytes > 0 {
			binary.LittleEndian.PutUint16(a.config[16+2*tile:], uint16(bytes))
			a.config[48+tile] = byte(rows)
		}
	}
	for half := range 2 {
		r, c := min(tileRows, rows-tileRows*half), min(tileRows, cols-tileRows*half)
		set(4+half, r, 4*TileK)
		set(6+half, TileK, 4*c)
		set(2*half, r, 4*min(tileRows, cols))
		set(2*half+1, r, 4*(cols-tileRows))
	}
}

// microTiles runs a.Tiles blocks of rows×cols, at most 32×32, with rows of C ldc bytes apart. sums has sumFloats.
func microTiles(a *Args, rows, cols int, ldc uintptr, sums []float32) {
	t := tileArgs{Args: *a, sums: unsafe.Pointer(unsafe.SliceData(sums)), height: uintptr(rows), ldc: ldc}
	t.mask, t.Tiles = uintptr(uint32(uint64(1)<<uint(cols)-1)), max(1, t.Tiles)
	t.configure(rows, cols)
	blocks(&t, rows, cols)
}

// blocksGo is the reference of the kernels, element by element.
func blocksGo(a *tileArgs, rows, cols int) {
	t := a.Args
	for n := t.Tiles; n > 0; n-- {
		for r := range rows {
			for j := range cols {
				store(&t, uintptr(r)*a.ldc, r, j, tileSum(&t, r, j))
			}
		}
		if n > 1 {
			t.next(rows)
		}
	}
}

// tileSum is one element's sum.
func tileSum(p *Args, r, j int) float32 {
	sum := float32(0)
	a, b := uintptr(r)*p.SAM, uintptr(j)*4
	for k := uintptr(0); k < p.K; k += TileK {
		var low, high float32
		for range TileK {
			x, y := pairAt(p.A, a), pairAt(p.B, b)
			low = addTiny(low, half(x<<16), half(y<<16))
			high = addTiny(high, half(x&0xffff0000), half(y&0xffff0000))
			a, b = a+p.SAK, b+p.SBK
		}
		sum = addTiny(sum, 1, addTiny(low, 1, high))
	}
	return sum
}

// half is a bfloat16 that stands in the upper half; denormal ones count as 0.
func half(x uint32) float32 { return flush(math.Float32frombits(x)) }

// addTiny is sum + x·y rounded once, and 0 where that is denormal, as TDPBF16PS computes (Intel's manual, volume 2). The product is
// exact in float64, and rounding the sum twice, to 53 bits and to 24, is rounding it once (Figueroa 1995, "When is double rounding
// innocuous?").
func addTiny(sum, x, y float32) float32 { return flush(float32(float64(x)*float64(y) + float64(sum))) }

// flush is x, or 0 with its sign where x is denormal.
func flush(x float32) float32 {
	if b := math.Float32bits(x); b&0x7f800000 == 0 {
		return math.Float32frombits(b & 0x80000000)
	}
	return x
}

// PairsTransposed makes pairs of a matrix of rows×cols floats that lie ld apart, along its columns, and transposes them: dst is
// cols×pairs, zeros behind the pairs that there are. That is what tiles want of a transposed A.
func PairsTransposed(dst, src []float32, rows, cols, ld, pairs int) {
	done := pairsTransposed(dst, src, rows, cols, ld, pairs)
	for c := done; c < cols; c++ {
		to := dst[c*pairs : (c+1)*pairs]
		for k := range to {
			var lo, hi float32
			if 2*k < rows {
				lo = src[2*k*ld+c]
			}
			if 2*k+1 < rows {
				hi = src[(2*k+1)*ld+c]
			}
			to[k] = pair(lo, hi)
		}
	}
}
