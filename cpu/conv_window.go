package cpu

import "aetrain/cpu/cpuinfo"

// window is a worker's copy of a part of an image: some rows of all channels, with zeros where there is padding. With a stride,
// the columns are dealt to split parts, so that neighbouring results, which are a stride apart in the image, find their sources
// side by side.
type window struct {
	tier           cpuinfo.Tier
	channels, h, w int // of the image
	top, left      int // row and column of the image where the first window begins; negative in the padding
	height, width  int // of the window, in the image's rows and columns
	split          int // parts
	part           int // columns of a part
	pitch          int // floats from row to row
	plane          int // floats from channel to channel
	size           int // floats of the whole
}

// set lays a window out. Channels are an odd number of cache lines apart, so that they do not share sets of a cache.
func (g *window) set(channels, h, w, top, left, height, width int) {
	g.channels, g.h, g.w, g.top, g.left, g.height, g.width = channels, h, w, top, left, height, width
	g.part = (width + g.split - 1) / g.split
	g.pitch = g.part * g.split
	g.plane = ((g.height*g.pitch+15)/16 | 1) * 16
	g.size = channels * g.plane
}

// windowSlack is how many floats beyond a window may be read, and do not matter.
const windowSlack = 32

// offset is where row y and column x of the window lie.
func (g *window) offset(y, x int) int { return y*g.pitch + x%g.split*g.part + x/g.split }

// fill copies rows of channels c0 to c1 of an image; the window's first row is row `from` of the first window.
func (g *window) fill(dst, image []float32, from, rows, c0, c1 int) {
	x0, x1 := max(0, -g.left), max(0, min(g.width, g.w-g.left)) // columns of the window that lie in the image
	for c := c0; c < c1; c++ {
		plane, src := dst[(c-c0)*g.plane:(c-c0+1)*g.plane], image[c*g.h*g.w:(c+1)*g.h*g.w]
		for r := range rows {
			d, y := plane[r*g.pitch:(r+1)*g.pitch], g.top+from+r
			if y < 0 || y >= g.h || x0 >= x1 {
				clear(d)
				continue
			}
			row := src[y*g.w+g.left+x0 : y*g.w+g.left+x1]
			if g.split == 1 {
				clear(d[:x0])
				copy(d[x0:x1], row)
				clear(d[x1:])
				continue
			}
			if x0 > 0 || x1 < g.pitch {
				clear(d)
			}
			g.deal(d, row, x0)
		}
	}
}

// deal distributes a row, which begins at column x of the window, to the parts.
func (g *window) deal(d, row []float32, x int) {
	if g.split == 2 {
		if x%2 == 1 {
			d[g.part+x/2] = row[0]
			row, x = row[1:], x+1
		}
		n := len(row) / 2
		even, odd := d[x/2:x/2+n], d[g.part+x/2:g.part+x/2+n]
		deal2(g.tier, even, odd, row)
		if len(row)%2 == 1 {
			d[x/2+n] = row[2*n]
		}
		return
	}
	for i, v := range row {
		d[(x+i)%g.split*g.part+(x+i)/g.split] = v
	}
}
