package cpu

import (
	"aetrain/cpu/cpuinfo"
	"aetrain/graph"
	"aetrain/op"
)

// A convolution and a transposed convolution are one thing here: results that are sums over a window of the source image.
//
//	result[o, u, v] = Σ_c Σ_taps weight[o, c, tap] · window[c, u + tap's row, v + tap's column]
//
// A convolution is one such phase. A transposed convolution of stride S is S×S of them: the results at u·S+qy, v·S+qx have
// taps of their own, and no zero is multiplied in between (Dumoulin & Visin 2016, chapter 4, without the zeros).
// The window is a copy of the image with its padding (see window).
type convolution struct {
	n, groups        int
	inC, inH, inW    int // source
	outC, outH, outW int // result
	m, c             int // channels of a group: results', source's
	sourceStep       int // rows of the source from one row of results to the next
	stepH, stepW     int // phases
	h, w             []axisPhase
	kh, kw           int
	transposed       bool

	images, rows int // of a task at most
	win          window
	phases       []convPhase
}

// axisPhase is the phases of one axis: its results are count, its taps the weight's index k and the source's offset.
type axisPhase struct {
	q, count int
	taps     []axisTap
}

type axisTap struct{ k, off int }

// convPhase is the results at rows u·stepH+qy and columns v·stepW+qx.
type convPhase struct {
	qy, qx     int
	rows, cols int   // of a whole image
	offs       []int // by k, a channel of a group and a tap: its place in the window
	taps       []int // the weight's taps, in the order of offs
}

// newConv2D describes a Conv2D.
func newConv2D(o op.Conv, x, w, y graph.Shape) *convolution {
	direct := func(k, dilation, pad, count int) []axisPhase {
		p := axisPhase{count: count}
		for i := range k {
			p.taps = append(p.taps, axisTap{i, i*dilation - pad})
		}
		return []axisPhase{p}
	}
	c := &convolution{
		n: x[0], groups: o.Groups, inC: x[1], inH: x[2], inW: x[3], outC: y[1], outH: y[2], outW: y[3],
		m: w[0] / o.Groups, c: w[1], sourceStep: o.StrideH, stepH: 1, stepW: 1, kh: w[2], kw: w[3],
		h: direct(w[2], o.DilationH, o.PadTop, y[2]), w: direct(w[3], o.DilationW, o.PadLeft, y[3]),
	}
	c.win.split = o.StrideW
	return c
}

// newConvTranspose2D describes a ConvTranspose2D.
func newConvTranspose2D(o op.ConvTranspose, x, w, y graph.Shape) *convolution {
	c := &convolution{
		n: x[0], groups: o.Groups, inC: x[1], inH: x[2], inW: x[3], outC: y[1], outH: y[2], outW: y[3],
		m: w[1], c: w[0] / o.Groups, sourceStep: 1, stepH: o.StrideH, stepW: o.StrideW, kh: w[2], kw: w[3], transposed: true,
		h: axisPhases(w[2], o.StrideH, o.DilationH, o.PadTop, y[2]), w: axisPhases(w[3], o.StrideW, o.DilationW, o.PadLeft, y[3]),
	}
	c.win.split = 1
	return c
}

// axisPhases: result i = u·stride + q receives source s by tap k where i = s·stride - pad + k·dilation, so s = u + off with
// off·stride = q + pad - k·dilation.
func axisPhases(k, stride, dilation, pad, size int) []axisPhase {
	var ps []axisPhase
	for q := range min(stride, size) {
		p := axisPhase{q: q, count: (size - q + stride - 1) / stride}
		for i := range k {
			if d := q + pad - i*dilation; d%stride == 0 {
				p.taps = append(p.taps, axisTap{i, d / stride})
			}
		}
		ps = append(ps, p)
	}
	return ps
}

// span returns the smallest and the largest offset of all phases.
func span(ps []axisPhase) (lo, hi int) {
	first := true
	for _, p := range ps {
		for _, t := range p.taps {
			if first || t.off < lo {
				lo = t.off
			}
			if first || t.off > hi {
				hi = t.off
			}
			first = false
		}
	}
	return lo, hi
}

// cut sets what a task works on, from the shapes and the width of the microkernel's panels: some rows of one image, or some
// whole images, so that panels are full and windows stay in the second-level cache.
func (c *convolution) cut(t cpuinfo.Tier, panel int) {
	c.win.tier = t
	rows, pixels := c.h[0].count, c.h[0].count*c.w[0].count
	c.images, c.rows = 1, rows
	loH, hiH := span(c.h)
	loW, hiW := span(c.w)
	width := hiW - loW + 1 + (c.w[0].count-1)*c.win.split
	floats := func(rows int) int { return c.inC * ((rows-1)*c.sourceStep + hiH - loH + 1) * (width + c.win.split) }
	best := fullness(pixels, panel)
	for g := 2; g <= min(16, c.n/8) && (best < 0.92 || (g-1)*pixels < 6*panel) && g*floats(rows) <= windowFloats; g++ {
		if f := fullness(g*pixels, panel); f > best || (g-1)*pixels < 6*panel {
			best, c.images = f, g
		}
	}
	if c.images == 1 {
		for c.rows > 1 && (floats(c.rows) > windowFloats || c.n*((rows+c.rows-1)/c.rows) < 16) && (c.rows/2)*c.w[0].count >= 6*panel {
			c.rows = (c.rows + 1) / 2
		}
	}
	c.win.set(c.inC, c.inH, c.inW, loH, loW, (c.rows-1)*c.sourceStep+hiH-loH+1, width)
	c.setPhases(loH, loW)
}

// windowFloats is the size that the windows of a task should not exceed: half of a second-level cache of 512 KB.
const windowFloats = 64 << 10

// fullness is the part of whole panels that n columns fill.
func fullness(n, panel int) float64 { return float64(n) / float64((n+panel-1)/panel*panel) }

func (c *convolution) setPhases(loH, loW int) {
	for _, h := range c.h {
		for _, w := range c.w {
			p := convPhase{qy: h.q, qx: w.q, rows: h.count, cols: w.count}
			for _, i := range h.taps {
				for _, j := range w.taps {
					p.taps = append(p.taps, i.k*c.kw+j.k)
				}
			}
			for ch := range c.c {
				for _, i := range h.taps {
					for _, j := range w.taps {
						p.offs = append(p.offs, ch*c.win.plane+c.win.offset(i.off-loH, j.off-loW))
					}
				}
			}
			c.phases = append(c.phases, p)
		}
	}
}
