//go:build gpu

package gpu

// planesGrid is the grid and block of kernels that do each pixel of planes of so many results: threads along a plane, as many as
// it has up to 256, and the rest of the block along planes. Each thread has a few planes where there are many.
func planesGrid(planes, each int) (grid, block [3]int) {
	width := min(256, 1<<log2(each))
	height := 256 / width
	const wanted = 2048 // blocks
	across := blocks(each, width)
	down := min(blocks(planes, height), max(1, blocks(wanted, across)), 1<<16-1)
	return [3]int{across, down, 1}, [3]int{width, height, 1}
}
