//go:build gpu

package gpu

import "math/bits"

// divisor is the kernels' Divisor (kernels/cuda/divisor.cuh) for division by d, which is at least 1.
func divisor(d int) []int32 {
	s := bits.Len(uint(d - 1)) // ceil(log2 d)
	multiplier := (uint64(1)<<(31+s) + uint64(d) - 1) / uint64(d)
	return []int32{int32(uint32(multiplier)), int32(31 + s), int32(d)}
}

// group is how many threads fold a row together: 2^shift in blocks of block (kernels/cuda/group.cuh).
type group struct{ shift, block int }

// groupOf chooses a group for rows of so many units, a unit being what a thread reads at once. Short rows share a warp, long ones
// have a block; in between it is a warp where there are rows enough to fill the device with warps, else a block.
// It depends on shapes alone, so that sums are added in one order on every device.
func groupOf(rows, units int) group {
	const manyRows = 4096
	if units <= 64 || units <= 256 && rows >= manyRows {
		g := group{shift: min(5, log2(units)), block: 64}
		if rows<<g.shift >= 1<<16 {
			g.block = 128
		}
		return g
	}
	most := 9
	if rows >= manyRows {
		most = 8
	} else if units >= 1<<14 {
		most = 10
	}
	shift := max(6, min(most, log2(units)))
	return group{shift: shift, block: 1 << shift}
}

// grid is for rows.
func (g group) grid(rows int) [3]int { return [3]int{blocks(rows, g.block>>g.shift), 1, 1} }

// line is a grid or a block of one dimension.
func line(n int) [3]int { return [3]int{n, 1, 1} }

// log2 is the logarithm of the smallest power of two that is not below n.
func log2(n int) int { return bits.Len(uint(max(1, n) - 1)) }

// unitsOf is how many units a row of n elements has whose kernel reads four at once where it can.
func unitsOf(n int) int {
	if n%4 == 0 {
		return n / 4
	}
	return n
}
