package gemm

import (
	"unsafe"

	"aetrain/cpu/cpuinfo"
)

// Args is the argument block of a microkernel. Strides, jumps and offsets are in bytes.
//
// A tile is C[r][j] = sum over s < Segs, k < K of A[r][s][k] * B[s][k][j], for r < rows <= MR and j < cols <= NR:
// A's element is at A + r*SAM + s*(K*SAK+SegA) + k*SAK, B's at B + (s*K+k)*SBK + 4*j, C's at C + Rows[r] + 4*j.
// Two levels of K let a convolution walk a window of an image in place: a segment is a row of the window.
// The layout is known to the generator (kernels/asm/gemm.go).
type Args struct {
	A, B, C       unsafe.Pointer
	K, Segs       uintptr // K steps in a segment; segments, at least 1
	SegA          uintptr // added to A after each segment
	SAM, SAK, SBK uintptr // A's row and step strides, B's step stride
	Flags         uintptr
	mask, edge    uintptr        // columns present: bits, and the offset into the table of lane masks
	Bias          unsafe.Pointer // by column
	RowBias       unsafe.Pointer // by row
	Aux           unsafe.Pointer // laid out as C
	Tiles         uintptr        // tiles of the same number of rows below each other; 0 counts as 1
	TileA, TileC  uintptr        // from one of them to the next, in A and in C
	Rows          [14]uintptr    // offset of each row of C
}

// Flags of Args: what happens to the sums before they are stored, in this order.
const (
	Accumulate = 1 << iota // add C
	AddBias                // add Bias
	ReLU                   // after the biases: 0 where negative
	MaskReLU               // 0 where Aux is not above 0: the gradient of a ReLU whose output is Aux
	AddRowBias             // add RowBias
)

// geometry is what a driver has to know of a tier's tiles.
type geometry struct {
	mr, nr     int     // rows and columns of the largest tile
	tall, thin int     // rows of the largest tile of at most thin columns
	kc         int     // steps of K whose panel of B stays in the first-level cache
	mc         int     // rows of A that stay in the second-level cache
	taskFlops  float64 // arithmetic of a task that takes about 100 microseconds
	dotRows    int     // rows and columns of the largest block of dot products
	dotColumns int
	dotLimit   int // rows of A up to which dot products beat packing B
}

// geometries holds the tiles of each tier; block sizes were measured by BenchmarkPlan.
var geometries = [...]geometry{
	cpuinfo.Go:     {mr: 4, nr: 4, tall: 4, kc: 256, mc: 128, taskFlops: 4e5, dotRows: 1, dotColumns: 4, dotLimit: 4},
	cpuinfo.AVX2:   {mr: 6, nr: 16, tall: 12, thin: 8, kc: 384, mc: 192, taskFlops: 8e6, dotRows: 3, dotColumns: 4, dotLimit: 32},
	cpuinfo.AVX512: {mr: 14, nr: 32, tall: 14, thin: 16, kc: 400, mc: 224, taskFlops: 16e6, dotRows: 3, dotColumns: 4, dotLimit: 12},
}

// MR returns the rows of t's largest tile.
func MR(t cpuinfo.Tier) int { return geometries[t].mr }

// NR returns the columns of t's largest tile: the width of a packed panel of B.
func NR(t cpuinfo.Tier) int { return geometries[t].nr }

// Micro runs t's microkernel on a.Tiles tiles of rows x cols; 1 <= rows <= MR(t), 1 <= cols <= NR(t)
// (AVX2 has up to 12 rows for up to 8 columns).
// It does not check anything: the memory that a names has to exist.
func Micro(t cpuinfo.Tier, a *Args, rows, cols int) {
	a.mask = uintptr(uint32(uint64(1)<<uint(cols) - 1))
	a.edge = uintptr(-cols&7) * 4
	if a.Tiles == 0 {
		a.Tiles = 1
	}
	micro(t, a, rows, cols)
}

// MicroPairs is Micro for pairs of bfloat16, of which K counts as many; any rows and columns that a tier has.
func MicroPairs(a *Args, rows, cols int) {
	a.mask = uintptr(uint32(uint64(1)<<uint(cols) - 1))
	microPairs(a, rows, cols)
}

// microDot runs t's kernel of dot products on rows x cols results: A and B are rows, contiguous along K, SAM and SBK apart.
func microDot(t cpuinfo.Tier, a *Args, rows, cols int) {
	a.edge = uintptr(8-cols) * 4
	dot(t, a, rows, cols)
}
