package cpu

import (
	"unsafe"

	"aetrain/cpu/cpuinfo"
	"aetrain/cpu/gemm"
)

// winogradState is a worker's part of a winograd.
type winogradState struct {
	*winograd
	x, y                   []float32
	samples                []float32 // by panel, row, column, channel, image
	ins, products, results []float32
	moved                  []float32 // small planes on the way
	args                   gemm.Args
	form                   linear
	transpose              func(dst, src []float32, rows, cols, ldd, lds int)
	image, images          int // of the task
	used                   int // panels that have images
	loaded                 int // rows of samples so far, from the first tile's on
}

// winograd appends the phases: the weights' forms, then the tasks.
func (b *binder) winograd(s *step, c *winograd) {
	b.winogradWeights(c, s.in[1].f32)
	sizes := []int{
		c.panels * c.slots * c.inW * c.ldT, c.panels * c.block * c.inBlock,
		c.panels * c.block * c.sums * c.outC * c.lanes, c.panels * c.flush * c.h.results * c.outW * c.ldO,
		8 * max(c.inC, c.outC) * c.lanes,
	}
	total := 0
	for i := range sizes {
		sizes[i] = oddLines(sizes[i])
		total += sizes[i]
	}
	b.scratch(total)
	states := forEachWorker(b, func(*worker) *winogradState {
		return &winogradState{winograd: c, x: s.in[0].f32, y: s.out[0].f32, transpose: b.b.vec.Transpose2D}
	})
	parts := (c.h.tiles + c.strips - 1) / c.strips
	each := c.panels * c.lanes
	b.phase((c.n+each-1)/each*parts, func(w *worker, task int) {
		st := states[w.id]
		local := w.local
		for i, part := range []*[]float32{&st.samples, &st.ins, &st.products, &st.results, &st.moved} {
			*part, local = local[:sizes[i]], local[sizes[i]:]
		}
		st.image = task / parts * each
		st.images = min(each, c.n-st.image)
		st.used = (st.images + c.lanes - 1) / c.lanes
		from := task % parts * c.strips
		to := min(c.h.tiles, from+c.strips)
		st.run(from, to)
		if s.chain == nil {
			return
		}
		st.chain(from*c.h.results, min(c.outH, to*c.h.results), func(off, n int) { s.chain.run(w, off, n) })
	}).byExample(c.n, func(task int) (from, to int) { return task / parts * each, min(c.n, (task/parts+1)*each) })
}

// chain names the ranges of results that a task has written.
func (st *winogradState) chain(from, to int, run func(off, n int)) {
	plane := st.outH * st.outW
	if from == 0 && to == st.outH {
		for i := range st.images {
			run((st.image+i)*st.outC*plane, st.outC*plane)
		}
		return
	}
	for i := range st.images * st.outC {
		run((st.image*st.outC+i)*plane+from*st.outW, (to-from)*st.outW)
	}
}

// winogradWeights appends the phase that brings the weights into the form of the products.
func (b *binder) winogradWeights(c *winograd, w []float32) {
	b.scratch(9 * c.inC)
	transpose := b.b.vec.Transpose2D
	forms := forEachWorker(b, func(*worker) *linear { return new(linear) })
	b.items(c.outC, 9*4*c.inC, func(wk *worker, from, to int) {
		taps, l := wk.local[:9*c.inC], forms[wk.id]
		for o := from; o < to; o++ {
			if c.transposed {
				transpose(taps, w[o*9:], c.inC, 9, c.inC, 9*c.outC)
			} else {
				transpose(taps, w[o*9*c.inC:], c.inC, 9, c.inC, 9)
			}
			for _, g := range c.groups {
				for i, forms := range g.weights {
					for j, f := range forms {
						dst := c.weights[g.at[i]+o*g.ld+j*c.inC:][:c.inC]
						l.sum(c.tier, dst, f, c.inC, func(at int) []float32 { return taps[at*c.inC : (at+1)*c.inC] })
					}
				}
			}
		}
	}).prepares(1)
}

// sum writes n floats of a form of vectors, up to 4 terms at a time. Vectors that are nil are zero.
func (l *linear) sum(tier cpuinfo.Tier, dst []float32, form []term, n int, vector func(at int) []float32) {
	l.terms = 0
	first := true
	for _, t := range form {
		v := vector(t.at)
		if v == nil {
			continue
		}
		if l.terms == 4 {
			combine(tier, dst, l, one(n))
			l.src[0], l.coef[0], l.terms, first = dst, 1, 1, false
		}
		l.src[l.terms], l.coef[l.terms] = v, t.coef
		l.terms++
	}
	switch {
	case l.terms > 0:
		combine(tier, dst, l, one(n))
	case first:
		clear(dst[:n])
	}
}

// run does the rows of tiles from..to of the task's images.
func (st *winogradState) run(from, to int) {
	st.loaded = from * st.h.step
	if st.whole() {
		st.loadAll()
	}
	for done := from; done < to; done += st.flush {
		end := min(to, done+st.flush)
		for ty := done; ty < end; ty++ {
			st.load(ty*st.h.step + st.h.samples)
			for tx := 0; tx < st.w.tiles; tx += st.block {
				st.tiles(ty, tx, min(st.w.tiles, tx+st.block))
				st.finishTiles(ty, tx, min(st.w.tiles, tx+st.block), (ty-done)*st.h.results)
			}
		}
		st.store(done*st.h.results, min(st.outH, end*st.h.results))
	}
}

// panelImages is the first image of panel p and how many it has.
func (st *winogradState) panelImages(p int) (image, n int) {
	return st.image + p*st.lanes, min(st.lanes, st.images-p*st.lanes)
}

// at is where the sample of a panel lies: its row counts from the first tile's first.
func (st *winogradState) at(panel, row, x int) int {
	return ((panel*st.slots+row%st.slots)*st.inW + x) * st.ldT
}

// load brings rows of samples, up to `to` or one more, into positions × channels × images: two at a time, because they follow each
// other in the image as they do here.
func (st *winogradState) load(to int) {
	plane := st.inH * st.inW
	for ; st.loaded < to; st.loaded += 2 {
		y := st.h.first + st.loaded
		y0, y1 := max(0, y), min(y+2, st.inH)
		if y0 >= y1 {
			continue
		}
		used := (y1 - y0) * st.inW
		for p := range st.used {
			image, n := st.panelImages(p)
			src := st.x[image*st.inC*plane+y0*st.inW:]
			st.loadPlanes(st.samples[st.at(p, y0-st.h.first, 0):], src, n, used)
		}
	}
}

// loadPlanes turns so many floats of each channel of n images into positions × channels × images.
func (st *winogradState) loadPlanes(dst, src []float32, n, used int) {
	plane := st.inH * st.inW
	for ch := range st.inC {
		if next := ch + 1; st.prefetch && next < st.inC {
			prefetch(src[next*plane:], n, st.inC*plane, used)
		}
		st.transpose(dst[ch*st.lanes:], src[ch*plane:], n, used, st.ldT, st.inC*plane)
	}
}

// loadAll is load of whole images.
func (st *winogradState) loadAll() {
	st.loaded = (st.strips-1)*st.h.step + st.h.samples
	y0, y1 := max(0, -st.h.first), min(st.loaded, st.inH-st.h.first) // rows that the image has
	if y0 >= y1 {
		return
	}
	plane, used := st.inH*st.inW, (y1-y0)*st.inW
	for p := range st.used {
		image, n := st.panelImages(p)
		dst := st.samples[st.at(p, y0, 0):]
		src := st.x[image*st.inC*plane+(y0+st.h.first)*st.inW:]
		if plane < 8 && used == plane {
			st.transpose(st.moved, src, n, st.inC*plane, st.lanes, st.inC*plane)
			for i := range st.inC * plane {
				copy(dst[i%plane*st.ldT+i/plane*st.lanes:][:st.lanes], st.moved[i*st.lanes:])
			}
			continue
		}
		st.loadPlanes(dst, src, n, used)
	}
}

// sample is the vector of all channels of a sample of tile (ty, tx), nil in the padding.
func (st *winogradState) sample(panel, ty, tx, at int) []float32 {
	row, x := ty*st.h.step+at/st.w.samples, st.w.first+tx*st.w.step+at%st.w.samples
	if y := st.h.first + row; y < 0 || y >= st.inH || x < 0 || x >= st.inW {
		return nil
	}
	return st.samples[st.at(panel, row, x):][:st.inC*st.lanes]
}

// tiles multiplies: all products of tiles tx0 to tx1 of a row of tiles.
func (st *winogradState) tiles(ty, tx0, tx1 int) {
	for i := range st.groups {
		g := &st.groups[i]
		if !st.h.need[ty][g.h] {
			continue
		}
		end := tx1
		for end > tx0 && !st.w.need[end-1][g.w] { // the last one may have too few results
			end--
		}
		if end > tx0 {
			st.inputs(g, ty, tx0, end)
			st.multiply(g, end-tx0)
		}
	}
}

// inputs writes the panels of a group: the forms of samples, one below the other.
func (st *winogradState) inputs(g *winogradGroup, ty, tx0, tx1 int) {
	n := st.inC * st.lanes
	for p := range st.used {
		for tx := tx0; tx < tx1; tx++ {
			dst := st.ins[(p*st.block+tx-tx0)*st.inBlock:]
			for i, form := range g.ins {
				st.combine(dst[i*n:(i+1)*n], form, p, ty, tx)
			}
		}
	}
}

// combine writes a form of the samples of a tile.
func (st *winogradState) combine(dst []float32, form []term, panel, ty, tx int) {
	l := &st.form
	l.terms = 0
	for _, t := range form {
		if v := st.sample(panel, ty, tx, t.at); v != nil {
			l.src[l.terms], l.coef[l.terms] = v, t.coef
			l.terms++
		}
	}
	if l.terms == 0 {
		clear(dst)
		return
	}
	combine(st.tier, dst, l, one(len(dst)))
}

// winogradK is how many steps of a product are done at once: a panel of them stays in a first-level cache. winogradRows is how
// many of its rows go through all panels before the next.
const (
	winogradK    = 384
	winogradRows = 8
)

// multiply computes the sums of a group for so many tiles of each panel.
func (st *winogradState) multiply(g *winogradGroup, tiles int) {
	a, mr := &st.args, gemm.MR(st.tier)
	a.SAM, a.SAK, a.SBK, a.Segs, a.SegA = uintptr(g.ld)*4, 4, uintptr(st.lanes)*4, 1, 0
	for r := range min(mr, len(a.Rows)) {
		a.Rows[r] = uintptr(r*st.lanes) * 4
	}
	blocks := (g.k + winogradK - 1) / winogradK
	n := (st.outC + mr - 1) / mr
	small, large := st.outC/n, st.outC%n // large tiles have a row more
	for i, sum := range g.sums {
		for k := range blocks {
			k0, k1 := k*g.k/blocks, (k+1)*g.k/blocks
			a.K, a.Flags = uintptr(k1-k0), 0
			if k > 0 {
				a.Flags = gemm.Accumulate
			}
			for row, t := 0, 0; t < n; {
				rows, count := small, min(winogradRows, n-t)
				if t < large {
					rows, count = small+1, min(winogradRows, large-t)
				}
				a.Tiles, a.TileA, a.TileC = uintptr(count), uintptr(rows*g.ld)*4, uintptr(rows*st.lanes)*4
				for p := range st.used {
					for tx := range tiles {
						at := p*st.block + tx
						a.A = unsafe.Pointer(&st.weights[g.at[i]+row*g.ld+k0])
						a.B = unsafe.Pointer(&st.ins[at*st.inBlock+k0*st.lanes])
						a.C = unsafe.Pointer(&st.products[((at*st.sums+sum)*st.outC+row)*st.lanes])
						gemm.Micro(st.tier, a, rows, st.lanes)
					}
				}
				row, t = row+rows*count, t+count
			}
		}
	}
}

// finishTiles makes results of sums, into positions × channels × images; row is that of the first result in st.results.
func (st *winogradState) finishTiles(ty, tx0, tx1, row int) {
	n := st.outC * st.lanes
	for p := range st.used {
		for tx := tx0; tx < tx1; tx++ {
			sums := st.products[(p*st.block+tx-tx0)*st.sums*n:]
			vector := func(at int) []float32 { return sums[at*n : (at+1)*n] }
			for i := range st.h.resultsOf(ty) {
				for j := range st.w.resultsOf(tx) {
					at := ((p*st.flush*st.h.results+row+i)*st.outW + tx*st.w.results + j) * st.ldO
					st.form.sum(st.tier, st.results[at:at+n], st.outs[i*st.w.results+j], n, vector)
				}
			}
		}
	}
}

// store brings rows of results into the images.
func (st *winogradState) store(from, to int) {
	plane, n := st.outH*st.outW, (to-from)*st.outW
	for p := range st.used {
		image, images := st.panelImages(p)
		dst, src := st.y[image*st.outC*plane+from*st.outW:], st.results[p*st.flush*st.h.results*st.outW*st.ldO:]
		if plane < 8 && n == plane {
			for i := range st.outC * plane {
				copy(st.moved[i*st.lanes:(i+1)*st.lanes], src[i%plane*st.ldO+i/plane*st.lanes:])
			}
			st.transpose(dst, st.moved, st.outC*plane, images, st.outC*plane, st.lanes)
			continue
		}
		for o := range st.outC {
			next := min(o+1, st.outC-1)
			if st.prefetchY {
				prefetch(dst[next*plane:], images, st.outC*plane, n)
			}
			prefetch(src[next*st.lanes:], n, st.ldO, st.lanes)
			st.transpose(dst[o*plane:], src[o*st.lanes:], n, images, st.outC*plane, st.ldO)
		}
	}
}
