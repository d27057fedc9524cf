package cpu

import (
	"aetrain/cpu/cpuinfo"
	"aetrain/cpu/gemm"
	"aetrain/graph"
	"aetrain/kernels"
	"aetrain/op"
)

// winograd is a convolution, or a transposed one, by bilinear algorithms. Vectors are images: a panel of the products is as many
// images as it has columns at one tile, so sums and differences are those of whole vectors, no tile is cut at an edge, and what
// the last tile of an odd image does not need is left out. A task takes some images, turns rows of them into positions × channels
// × images, and goes through them tile by tile; its results go back the same way.
type winograd struct {
	tier             cpuinfo.Tier
	lanes            int // images of a panel
	n                int
	inC, inH, inW    int
	outC, outH, outW int
	transposed       bool
	h, w             winogradAxis

	groups  []winogradGroup
	weights []float32 // of all groups
	sums    int       // of a tile
	outs    [][]term  // of a tile's results, of sums

	panels              int  // of images in a task
	strips              int  // rows of tiles in a task
	block               int  // tiles of a row that are worked on together, for each panel
	flush               int  // rows of tiles whose results are stored together
	slots               int  // rows of samples that are kept
	ldT                 int  // floats from one position to the next, of samples
	ldO                 int  // of results
	inBlock             int  // floats of the inputs of one product of one tile
	prefetch, prefetchY bool // images do not share sets of a cache
}

// winogradAxis is one axis of the images.
type winogradAxis struct {
	*bilinear
	first, size  int // sample of the first tile; samples of the image
	count, tiles int // results of the image; tiles
	need         [][]bool
}

// winogradGroup is the products that have their inputs in common.
type winogradGroup struct {
	h, w    int      // groups of the axes
	ins     [][]term // of samples, place = row·(samples of a row) + column
	sums    []int    // row·(sums of the other axis) + column
	weights [][][]term
	at      []int // where each sum's matrix begins: results × (inputs · channels)
	k, ld   int   // inputs · channels; floats from row to row
}

// newAxis lays tiles over count results.
func newAxis(b *bilinear, first, size, count int) winogradAxis {
	a := winogradAxis{bilinear: b, first: first, size: size, count: count, tiles: (count + b.results - 1) / b.results}
	for t := range a.tiles {
		var need []bool
		for _, g := range b.groups {
			any := false
			for _, s := range g.sums {
				any = any || b.needs(s, a.resultsOf(t))
			}
			need = append(need, any)
		}
		a.need = append(a.need, need)
	}
	return a
}

// resultsOf is how many results tile t has.
func (a *winogradAxis) resultsOf(t int) int { return min(a.results, a.count-t*a.results) }

// winogradFits fits filters of 3x3 in one group, with strides of 1 or 2.
func winogradFits(c kernels.Case) bool {
	if c.In[0].Shape.Size() == 0 || c.Out[0].Shape.Size() == 0 {
		return false
	}
	var o op.ConvConfig
	kh, kw := 0, 0
	switch p := c.Op.(type) {
	case op.Conv:
		o, kh, kw = p.ConvConfig, c.In[1].Shape[2], c.In[1].Shape[3]
	case op.ConvTranspose:
		o, kh, kw = p.ConvConfig, c.In[1].Shape[2], c.In[1].Shape[3]
	case op.ConvWeightGrad:
		o, kh, kw = p.ConvConfig, p.KH, p.KW
	}
	return kh == 3 && kw == 3 && o.Groups == 1 && o.DilationH == 1 && o.DilationW == 1 && o.StrideH <= 2 && o.StrideW <= 2
}

// winogradWins fits those where it was measured to be faster than the product of patches (BenchmarkConv): enough channels on both
// sides to pay for the sums, and enough images to fill vectors.
func winogradWins(c kernels.Case) bool {
	in, out := c.In[0].Shape, c.Out[0].Shape
	if !winogradFits(c) || in[0] < 24 {
		return false
	}
	switch o := c.Op.(type) {
	case op.ConvWeightGrad:
		return in[1]*c.In[1].Shape[1] >= 1024 && min(in[1], c.In[1].Shape[1]) >= 16
	case op.Conv:
		return min(in[1], out[1]) >= channelsToWin(o.ConvConfig)
	case op.ConvTranspose:
		return min(in[1], out[1]) >= channelsToWin(o.ConvConfig)
	}
	return false
}

// channelsToWin is how many channels either side has to have. With stride 2, patches and phases cost more.
func channelsToWin(c op.ConvConfig) int {
	if c.StrideH == 2 && c.StrideW == 2 {
		return 8
	}
	return 16
}

func bindConvWinograd(b *binder, s *step) error {
	o, x, y := s.Op.(op.Conv), s.Case.In[0].Shape, s.Case.Out[0].Shape
	h, firstH := downAxis(o.StrideH, o.PadTop)
	w, firstW := downAxis(o.StrideW, o.PadLeft)
	c := newWinograd(b.b.tier, x, y, newAxis(h, firstH, x[2], y[2]), newAxis(w, firstW, x[3], y[3]))
	b.winograd(s, c)
	return nil
}

func bindConvTransposeWinograd(b *binder, s *step) error {
	o, x, y := s.Op.(op.ConvTranspose), s.Case.In[0].Shape, s.Case.Out[0].Shape
	h, firstH := upAxis(o.StrideH, o.PadTop)
	w, firstW := upAxis(o.StrideW, o.PadLeft)
	c := newWinograd(b.b.tier, x, y, newAxis(h, firstH, x[2], y[2]), newAxis(w, firstW, x[3], y[3]))
	c.transposed = true
	b.winograd(s, c)
	return nil
}

func newWinograd(t cpuinfo.Tier, x, y graph.Shape, h, w winogradAxis) *winograd {
	c := &winograd{
		tier: t, lanes: gemm.NR(t), n: x[0], inC: x[1], inH: x[2], inW: x[3], outC: y[1], outH: y[2], outW: y[3], h: h, w: w,
		sums: h.sums * w.sums,
	}
	for i, a := range h.groups {
		for j, b := range w.groups {
			c.group(i, j, a, b)
		}
	}
	for i := range h.outs {
		for j := range w.outs {
			c.outs = append(c.outs, tensorProduct(h.outs[i], w.outs[j], w.sums))
		}
	}
	c.cut()
	return c
}

// group appends the product of a group of either axis.
func (c *winograd) group(i, j int, a, b bilinearGroup) {
	g := winogradGroup{h: i, w: j, k: len(a.ins) * len(b.ins) * c.inC}
	g.ld = (g.k + 15) / 16 * 16
	for _, p := range a.ins {
		for _, q := range b.ins {
			g.ins = append(g.ins, tensorProduct(c.h.ins[p], c.w.ins[q], c.w.samples))
		}
	}
	for u, p := range a.sums {
		for v, q := range b.sums {
			var forms [][]term
			for _, wp := range a.weights[u] {
				for _, wq := range b.weights[v] {
					forms = append(forms, tensorProduct(c.h.weights[wp], c.w.weights[wq], 3))
				}
			}
			g.sums, g.weights = append(g.sums, p*c.w.sums+q), append(g.weights, forms)
			g.at = append(g.at, len(c.weights))
			c.weights = append(c.weights, make([]float32, c.outC*g.ld)...)
		}
	}
	c.groups = append(c.groups, g)
	c.inBlock = max(c.inBlock, g.k*c.lanes)
}

// oddLines rounds up to an odd number of cache lines, so that rows do not share sets of a cache.
func oddLines(n int) int { return ((n+15)/16 | 1) * 16 }

// winogradFloats bounds each of the kinds of memory that a task goes through: a quarter of a second-level cache of 512 KB.
const winogradFloats = 32 << 10

// cut sets what a task does, from the shapes alone.
func (c *winograd) cut() {
	c.ldT, c.ldO = oddLines(c.inC*c.lanes), oddLines(c.outC*c.lanes)
	groups := (c.n + c.lanes - 1) / c.lanes
	c.panels = 1
	c.prefetch, c.prefetchY = c.inC*c.inH*c.inW%1024 != 0, c.outC*c.outH*c.outW%1024 != 0
	if c.h.tiles*c.w.tiles <= 4 && groups >= 8 { // few tiles for many weights
		c.panels = 2
	}
	groups = (groups + c.panels - 1) / c.panels
	parts := min(c.h.tiles, max(1, (8+groups-1)/groups))
	c.strips = (c.h.tiles + parts - 1) / parts
	c.block = max(1, min(c.w.tiles, winogradFloats/(c.panels*(c.sums*c.outC*c.lanes+c.inBlock))))
	c.block = (c.w.tiles + (c.w.tiles+c.block-1)/c.block - 1) / ((c.w.tiles + c.block - 1) / c.block)
	rows := max(1, 2*winogradFloats/(c.panels*c.h.results*c.outW*c.ldO))
	times := (c.strips + rows - 1) / rows
	c.flush = (c.strips + times - 1) / times
	c.slots = (c.strips-1)*c.h.step + c.h.samples
	if c.slots*c.inW*c.ldT*c.panels > 2*winogradFloats || c.strips < c.h.tiles {
		c.slots = (c.h.samples + 1) / 2 * 2
	}
}

// whole says that all samples of a task's images are kept at once.
func (c *winograd) whole() bool {
	return c.strips == c.h.tiles && c.slots == (c.strips-1)*c.h.step+c.h.samples
}
