package cpu

import (
	"unsafe"

	"aetrain/cpu/cpuinfo"
	"aetrain/cpu/gemm"
	"aetrain/graph"
	"aetrain/op"
)

// weightGrad is the gradient of a convolution's weight as a product over pixels:
//
//	dW[co, ci, tap] = Σ_images Σ_p window[ci, p·stride + tap] · dy[co, p]
//
// The window is walked in place: the rows of a tile of registers are neighbouring channels at one tap, its columns are channels
// of dy, whose pixels lie transposed in panels, and the steps of K are pixels, a row of the image a segment. With too few
// channels or pixels for that, the rows of all taps are copied side by side first.
// Images are summed in a fixed number of parts, whose sums are added in order, so that the number of threads changes nothing.
type weightGrad struct {
	tier             cpuinfo.Tier
	n, groups        int
	ci, co           int // channels of a group: x's, dy's
	xC, dyC          int // channels
	h, w             int // dy's plane
	strideH, strideW int
	taps             []int // places in the window
	flipped          bool  // x and dy have changed places

	win    window
	parts  int
	block  int  // channels of x in a task
	packed bool // the rows of all taps are copied
	images int  // that are worked on together; 1 unless packed
	rows   int  // of dy that are worked on together, if there is one image
	ld     int  // packed: floats of a row
}

// newWeightGrad describes a Conv2DWeightGrad. Where dy has few channels and the stride is 1, x and dy change places: then dy is the
// image, padded by what the filter reaches beyond x, and the taps come in reverse order.
func newWeightGrad(tier cpuinfo.Tier, o op.ConvWeightGrad, x, dy graph.Shape) *weightGrad {
	eh, ew := o.Extent(o.KH, o.KW)
	top, left := -o.PadTop, -o.PadLeft
	flipped := dy[1]/o.Groups < 4 && x[1] > dy[1] && o.StrideH == 1 && o.StrideW == 1
	if flipped {
		x, dy = dy, x
		top, left = o.PadTop-(eh-1), o.PadLeft-(ew-1)
	}
	g := &weightGrad{
		tier: tier, n: x[0], groups: o.Groups, ci: x[1] / o.Groups, co: dy[1] / o.Groups, xC: x[1], dyC: dy[1], h: dy[2], w: dy[3],
		strideH: o.StrideH, strideW: o.StrideW, flipped: flipped,
	}
	g.win.split = 1
	g.win.set(g.ci, x[2], x[3], top, left, (g.h-1)*g.strideH+eh, (g.w-1)*g.strideW+ew)
	for i := range o.KH {
		for j := range o.KW {
			g.taps = append(g.taps, g.win.offset(i*o.DilationH, j*o.DilationW))
		}
	}
	g.cut()
	return g
}

// weightPixels is how many pixels are summed before the results are stored: a panel of them stays in a first-level cache.
const weightPixels = 192

// weightTasks is how many tasks there should be, and maxParts how many of them work on the same weights.
const (
	weightTasks = 16
	maxParts    = 8
	partFloats  = 1 << 20 // all parts together
)

// cut sets what a task does, from the shapes alone.
func (g *weightGrad) cut() {
	mr := gemm.MR(g.tier)
	g.parts = max(1, min(maxParts, g.n, partFloats/max(1, g.size())))
	g.packed = g.ci < min(4, mr) || g.h*g.w < 32
	g.images, g.rows, g.block = 1, max(1, min(g.h, weightPixels/g.w)), g.ci
	if g.packed {
		if g.rows == g.h {
			g.images = max(1, min(g.n/g.parts, weightPixels/(g.h*g.w)))
		}
		g.ld = ((g.images*g.rows*g.w+15)/16 | 1) * 16
		return
	}
	tiles := (g.ci + mr - 1) / mr
	blocks := min(tiles, max((weightTasks+g.parts*g.groups-1)/(g.parts*g.groups), (g.win.size+windowFloats-1)/windowFloats))
	g.block = (tiles + blocks - 1) / blocks * mr
}

// size is the number of elements of dW.
func (g *weightGrad) size() int { return g.groups * len(g.taps) * g.ci * g.co }

// bindConvWeightGEMM appends the parts' sums and their sum.
func bindConvWeightGEMM(b *binder, s *step) error {
	g := newWeightGrad(b.b.tier, s.Op.(op.ConvWeightGrad), s.Case.In[0].Shape, s.Case.In[1].Shape)
	x, dy, dw := s.in[0].f32, s.in[1].f32, s.out[0].f32
	if g.flipped {
		x, dy = dy, x
	}
	sums := alloc(g.parts * g.size())
	blocks := (g.ci + g.block - 1) / g.block
	nr := gemm.NR(g.tier)
	floats := g.block*g.win.plane + windowSlack
	panels := (g.co + nr - 1) / nr * nr * g.images * g.rows * g.w
	rows := len(g.taps) * g.ci * g.ld
	b.scratch(floats + panels + rows)
	states := forEachWorker(b, func(*worker) *weightState { return &weightState{weightGrad: g, transpose: b.b.vec.Transpose2D} })
	b.phase(g.parts*g.groups*blocks, func(w *worker, task int) {
		st := states[w.id]
		st.window, st.panels, st.patches = w.local[:floats], w.local[floats:floats+panels], w.local[floats+panels:][:rows]
		part, group, block := task/(g.groups*blocks), task/blocks%g.groups, task%blocks
		st.sums = sums[(part*g.groups+group)*len(g.taps)*g.ci*g.co:]
		n0, n1 := part*g.n/g.parts, (part+1)*g.n/g.parts
		c0, c1 := block*g.block, min(g.ci, (block+1)*g.block)
		if g.packed {
			st.runPacked(x, dy, group, n0, n1)
		} else {
			st.runInPlace(x, dy, group, n0, n1, c0, c1)
		}
	}).byExample(g.n, shares(g.n, g.parts, g.groups*blocks))
	add := b.b.vec.Add
	b.scratch(g.co)
	b.items(g.groups*g.ci, len(g.taps)*g.co*(g.parts+2), func(w *worker, from, to int) {
		for i := from; i < to; i++ {
			g.combine(dw, sums, w.local[:g.co], add, i/g.ci, i%g.ci)
		}
	}).finishes()
	return nil
}

// weightState is a worker's part of a weightGrad.
type weightState struct {
	*weightGrad
	window, panels, patches, sums []float32
	args                          gemm.Args
	transpose                     func(dst, src []float32, rows, cols, ldd, lds int)
}

// runInPlace sums images n0 to n1 for the channels c0 to c1 of a group.
func (g *weightState) runInPlace(x, dy []float32, group, n0, n1, c0, c1 int) {
	a, nr := &g.args, gemm.NR(g.tier)
	a.SAM, a.SAK, a.SBK, a.Flags = uintptr(g.win.plane)*4, uintptr(g.strideW)*4, uintptr(nr)*4, 0
	a.K, a.SegA = uintptr(g.w), uintptr((g.strideH*g.win.pitch-g.w*g.strideW)*4)
	plane := g.win.h * g.win.w
	for n := n0; n < n1; n++ {
		g.win.fill(g.window, x[(n*g.xC+group*g.ci)*plane:], 0, g.win.height, c0, c1)
		for y := 0; y < g.h; y += g.rows {
			rows := min(g.rows, g.h-y)
			pixels := rows * g.w
			a.Segs = uintptr(rows)
			g.pack(dy, n, group, y, rows, 0, pixels)
			for p := 0; p < g.co; p += nr {
				a.B = unsafe.Pointer(&g.panels[p*pixels])
				for i, tap := range g.taps {
					g.tiles(&g.window[tap+y*g.strideH*g.win.pitch], g.win.plane, i*g.ci+c0, c1-c0, p)
				}
			}
			a.Flags = gemm.Accumulate
		}
	}
}

// runPacked sums images n0 to n1 of a group, all its channels, some images or some rows of one at a time.
func (g *weightState) runPacked(x, dy []float32, group, n0, n1 int) {
	a, nr := &g.args, gemm.NR(g.tier)
	a.SAM, a.SAK, a.SBK, a.Flags, a.Segs, a.SegA = uintptr(g.ld)*4, 4, uintptr(nr)*4, 0, 1, 0
	plane := g.win.h * g.win.w
	for n := n0; n < n1; n += g.images {
		images := min(g.images, n1-n)
		for y := 0; y < g.h; y += g.rows {
			rows := min(g.rows, g.h-y)
			each := rows * g.w
			for i := range images {
				height := (rows-1)*g.strideH + g.win.height - (g.h-1)*g.strideH
				g.win.fill(g.window, x[((n+i)*g.xC+group*g.ci)*plane:], y*g.strideH, height, 0, g.ci)
				g.copyRows(i*each, rows)
				g.pack(dy, n+i, group, y, rows, i*each, images*each)
			}
			a.K = uintptr(images * each)
			for p := 0; p < g.co; p += nr {
				a.B = unsafe.Pointer(&g.panels[p*images*each])
				g.tiles(&g.patches[0], g.ld, 0, len(g.taps)*g.ci, p)
			}
			a.Flags = gemm.Accumulate
		}
	}
}

// copyRows writes the patches' rows, by tap and channel, from column at on.
func (g *weightState) copyRows(at, rows int) {
	for i, tap := range g.taps {
		for c := range g.ci {
			dst := g.patches[(i*g.ci+c)*g.ld+at:]
			for r := range rows {
				src := g.window[c*g.win.plane+tap+r*g.strideH*g.win.pitch:]
				d := dst[r*g.w : (r+1)*g.w]
				if g.strideW == 1 {
					copy(d, src)
					continue
				}
				for j := range d {
					d[j] = src[j*g.strideW]
				}
			}
		}
	}
}

// pack transposes rows of dy of one image into the panels, from pixel at of so many.
func (g *weightState) pack(dy []float32, n, group, y, rows, at, pixels int) {
	nr, plane := gemm.NR(g.tier), g.h*g.w
	for p := 0; p < g.co; p += nr {
		src := dy[(n*g.dyC+group*g.co+p)*plane+y*g.w:]
		g.transpose(g.panels[p*pixels+at*nr:], src, min(nr, g.co-p), rows*g.w, nr, plane)
	}
}

// tiles multiplies m rows, line floats apart, by the panel of columns p and following, into rows of the sums from row on.
func (g *weightState) tiles(at *float32, line, row, m, p int) {
	a, mr := &g.args, gemm.MR(g.tier)
	cols := min(gemm.NR(g.tier), g.co-p)
	for r := range min(mr, len(a.Rows)) {
		a.Rows[r] = uintptr(r*g.co) * 4
	}
	a.A, a.C = unsafe.Pointer(at), unsafe.Pointer(&g.sums[row*g.co+p])
	n := (m + mr - 1) / mr
	small, large := m/n, m%n // large tiles have a row more
	if large > 0 {
		g.stack(small+1, large, cols, line)
		a.A, a.C = unsafe.Add(a.A, a.TileA*a.Tiles), unsafe.Add(a.C, a.TileC*a.Tiles)
	}
	g.stack(small, n-large, cols, line)
}

// stack runs count tiles of rows below each other.
func (g *weightState) stack(rows, count, cols, line int) {
	a := &g.args
	a.Tiles, a.TileA, a.TileC = uintptr(count), uintptr(rows*line)*4, uintptr(rows*g.co)*4
	gemm.Micro(g.tier, a, rows, cols)
}

// combine adds up the parts for channel ci of a group and writes them where dW has them.
func (g *weightGrad) combine(dw, sums, t []float32, add func(dst, a, b []float32), group, ci int) {
	taps := len(g.taps)
	for tap := range taps {
		row := ((group*taps+tap)*g.ci + ci) * g.co
		copy(t, sums[row:])
		for p := 1; p < g.parts; p++ {
			src := sums[p*g.size()+row:][:g.co]
			add(t, t, src)
		}
		if g.flipped { // dW[ci of dy's group, co, tap from behind]
			base := (group*g.ci+ci)*g.co*taps + taps - 1 - tap
			for co, v := range t {
				dw[base+co*taps] = v
			}
			continue
		}
		base := (group*g.co*g.ci+ci)*taps + tap
		for co, v := range t {
			dw[base+co*g.ci*taps] = v
		}
	}
}
