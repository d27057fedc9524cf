package cpu

import (
	"unsafe"

	"aetrain/cpu/gemm"
)

// winogradWeightState is a worker's part of a winogradWeight.
type winogradWeightState struct {
	*winogradWeight
	x, dy, total   []float32
	samples, grads []float32 // of the images or rows that are worked on: image × row × column × channel
	ins, outs      []float32 // step × channel: forms of samples, of gradients
	args           gemm.Args
	form           linear
	transpose      func(dst, src []float32, rows, cols, ldd, lds int)
	c0, channels   int // of dy, that the task works on
}

// run sums images n0 to n1 for the channels of the task.
func (st *winogradWeightState) run(n0, n1 int) {
	for f := range st.forms {
		clear(st.total[(f*st.co+st.c0)*st.ci : (f*st.co+st.c0+st.channels)*st.ci])
	}
	for n := n0; n < n1; n += st.images {
		for ty := 0; ty < st.h.tiles; ty += st.rows {
			b := winogradTiles{images: min(st.images, n1-n), from: ty, to: min(st.h.tiles, ty+st.rows)}
			st.load(n, b)
			st.multiply(b)
		}
	}
}

// winogradTiles is some images and some of their rows of tiles.
type winogradTiles struct {
	images, from, to int
	rows, cols       int // that a sum needs
}

// load brings samples and gradients into positions × channels.
func (st *winogradWeightState) load(n int, b winogradTiles) {
	y0, y1 := st.sampleRows(b)
	r0, r1 := b.from*st.h.results, min(st.h.count, b.to*st.h.results)
	planeX, planeG := st.h.size*st.w.size, st.h.count*st.w.count
	for i := range b.images {
		if y0 < y1 {
			src := st.x[(n+i)*st.ci*planeX+y0*st.w.size:]
			st.transpose(st.samples[i*st.xRows*st.w.size*st.ci:], src, st.ci, (y1-y0)*st.w.size, st.ci, planeX)
		}
		src := st.dy[((n+i)*st.co+st.c0)*planeG+r0*st.w.count:]
		st.transpose(st.grads[i*st.rows*st.h.results*st.w.count*st.block:], src, st.channels, (r1-r0)*st.w.count, st.block, planeG)
	}
}

// sampleRows are the rows of the image that some rows of tiles read.
func (st *winogradWeightState) sampleRows(b winogradTiles) (from, to int) {
	first := st.h.first + b.from*st.h.step
	return max(0, first), min(st.h.size, first+(b.to-b.from-1)*st.h.step+st.h.samples)
}

// multiply adds all products of a block. The forms of gradients are made once for each sum, those of samples for each product.
func (st *winogradWeightState) multiply(b winogradTiles) {
	for i := range st.sums {
		s := &st.sums[i]
		b.rows, b.cols = st.h.needed(s.h, b.from, b.to), st.w.needed(s.w, 0, st.w.tiles)
		if b.rows == 0 || b.cols == 0 {
			continue
		}
		st.gradForm(b, s.grad)
		for _, p := range s.products {
			st.sampleForm(b, p.in)
			st.product(p.weight, b.images*b.rows*b.cols)
		}
	}
}

// gradForm writes a form of the gradients, a row for each tile.
func (st *winogradWeightState) gradForm(b winogradTiles, form []term) {
	h, w := &st.h, &st.w
	row := w.count * st.block
	g := grid{n: st.channels, dstStep: st.ldG, dstRow: b.cols * st.ldG, srcStep: w.results * st.block, srcRow: h.results * row}
	inH := tileRange{0, max(0, min(b.rows, h.count/h.results-b.from))} // the last tile may have less
	inW := tileRange{0, min(b.cols, w.count/w.results)}
	st.writeForms(st.outs, form, g, b, inH, inW, st.rows*h.results*row, func(place, ty, tx int) []float32 {
		y, x := ty*h.results+place/w.results, tx*w.results+place%w.results
		if b.from*h.results+y >= h.count || x >= w.count {
			return nil
		}
		return st.grads[y*row+x*st.block:]
	})
}

// sampleForm writes a form of the samples, a row for each tile.
func (st *winogradWeightState) sampleForm(b winogradTiles, form []term) {
	h, w, y0 := &st.h, &st.w, max(0, st.h.first+b.from*st.h.step)
	row := w.size * st.ci
	g := grid{n: st.ci, dstStep: st.ldX, dstRow: b.cols * st.ldX, srcStep: w.step * st.ci, srcRow: h.step * row}
	inH, inW := h.inside(b.from, b.from+b.rows), w.inside(0, b.cols)
	st.writeForms(st.ins, form, g, b, inH, inW, st.xRows*row, func(place, ty, tx int) []float32 {
		y, x := h.first+(b.from+ty)*h.step+place/w.samples, w.first+tx*w.step+place%w.samples
		if y < 0 || y >= h.size || x < 0 || x >= w.size {
			return nil
		}
		return st.samples[(y-y0)*row+x*st.ci:]
	})
}

// tileRange is a range of tiles.
type tileRange struct{ from, to int }

// inside is which tiles of from..to, counted from the first of them, have all their samples within the image.
func (a *winogradAxis) inside(from, to int) tileRange {
	s := tileRange{0, 0}
	for t := from; t < to; t++ {
		if x := a.first + t*a.step; x >= 0 && x+a.samples <= a.size {
			if s.to == 0 {
				s.from = t - from
			}
			s.to = t - from + 1
		}
	}
	return s
}

// next is the end of the tiles that are done together with tile t: all inside, or itself alone.
func (s tileRange) next(t int) int {
	if t == s.from && s.to > t {
		return s.to
	}
	return t + 1
}

// writeForms writes a form for each tile of a block, whose images are so many floats apart. Tiles inside have all terms, each of the
// others its own. Of few tiles each is done for all images at once, of many all of one image that have the same terms.
func (st *winogradWeightState) writeForms(dst []float32, form []term, g grid, b winogradTiles, inH, inW tileRange, image int, at func(place, ty, tx int) []float32) {
	l, size, byTile := &st.form, b.rows*g.dstRow, b.rows*b.cols <= 4*b.images
	dstStep, rows, cols := g.dstStep, 1, 1
	for ty := 0; ty < b.rows; ty += rows {
		if !byTile {
			rows = inH.next(ty) - ty
		}
		for tx := 0; tx < b.cols; tx += cols {
			if !byTile {
				cols = inW.next(tx) - tx
			}
			l.terms = 0
			for _, t := range form {
				if v := at(t.at, ty, tx); v != nil {
					l.src[l.terms], l.coef[l.terms] = v, t.coef
					l.terms++
				}
			}
			d := dst[ty*g.dstRow+tx*dstStep:]
			if byTile {
				st.combineOrClear(d, grid{n: g.n, rows: 1, count: b.images, dstStep: size, srcStep: image})
				continue
			}
			g.rows, g.count = rows, cols
			for i := range b.images {
				st.combineOrClear(d[i*size:], g)
				for t := range l.terms {
					l.src[t] = l.src[t][min(image, len(l.src[t])):]
				}
			}
		}
	}
}

// combineOrClear takes a sum without terms for zero.
func (st *winogradWeightState) combineOrClear(dst []float32, g grid) {
	if st.form.terms > 0 {
		combine(st.tier, dst, &st.form, g)
		return
	}
	for i := range g.rows * g.count {
		clear(dst[i/g.count*g.dstRow+i%g.count*g.dstStep:][:g.n])
	}
}

// product adds Σ_steps (form of gradients) · (form of samples) to the gradient of a form of taps.
func (st *winogradWeightState) product(form, steps int) {
	a, mr, nr := &st.args, gemm.MR(st.tier), gemm.NR(st.tier)
	a.SAM, a.SAK, a.SBK, a.Segs, a.SegA, a.Flags = 4, uintptr(st.ldG)*4, uintptr(st.ldX)*4, 1, 0, gemm.Accumulate
	a.K = uintptr(steps)
	for r := range min(mr, len(a.Rows)) {
		a.Rows[r] = uintptr(r*st.ci) * 4
	}
	n := (st.channels + mr - 1) / mr
	small, large := st.channels/n, st.channels%n // large tiles have a row more
	for p := 0; p < st.ci; p += nr {
		cols := min(nr, st.ci-p)
		a.B = unsafe.Pointer(&st.ins[p])
		stack := func(row, rows, count int) {
			if count == 0 {
				return
			}
			a.A, a.C = unsafe.Pointer(&st.outs[row]), unsafe.Pointer(&st.total[(form*st.co+st.c0+row)*st.ci+p])
			a.Tiles, a.TileA, a.TileC = uintptr(count), uintptr(rows)*4, uintptr(rows*st.ci)*4
			gemm.Micro(st.tier, a, rows, cols)
		}
		stack(0, small+1, large)
		stack(large*(small+1), small, n-large)
	}
}

// needed is how many tiles, of those from..to, need a sum: all but perhaps the last.
func (a *winogradAxis) needed(sum, from, to int) int {
	for to > from && !a.needs(sum, a.resultsOf(to-1)) {
		to--
	}
	return to - from
}
