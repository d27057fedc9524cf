//go:build gpu

package gpu

import (
	"slices"

	"aetrain/graph"
	"aetrain/kernels"
	"aetrain/op"
	"aetrain/program"
)

// A convolution and a transposed convolution are one thing here, as in kernels/cuda/conv.cuh: results that are sums over taps of
// a source image. A convolution is one phase of them. A transposed one of stride S is S×S: the results at u·S+qy, v·S+qx have
// taps of their own, and no zero is multiplied in between.
type convolution struct {
	n, groups        int
	inC, inH, inW    int // source
	outC, outH, outW int // result
	m, c             int // channels of a group: results', source's
	downH, downW     int // rows and columns of the source from one result of a phase to the next
	upH, upW         int // and of the result
	kh, kw           int
	transposed       bool
	h, w             []axisPhase
}

// axisPhase is a phase of one axis: its results are count, its taps the weight's index k and the source's offset, ascending.
type axisPhase struct {
	q, count int
	taps     []axisTap
}

type axisTap struct{ k, off int }

// convolutionOf describes a Conv2D or a ConvTranspose2D.
func convolutionOf(k kernels.Case) *convolution {
	x, w, y := k.In[0].Shape, k.In[1].Shape, k.Out[0].Shape
	c := &convolution{n: x[0], inC: x[1], inH: x[2], inW: x[3], outC: y[1], outH: y[2], outW: y[3], kh: w[2], kw: w[3],
		downH: 1, downW: 1, upH: 1, upW: 1}
	switch o := k.Op.(type) {
	case op.Conv:
		c.groups, c.m, c.c, c.downH, c.downW = o.Groups, w[0]/o.Groups, w[1], o.StrideH, o.StrideW
		c.h, c.w = onePhase(w[2], o.DilationH, o.PadTop, y[2]), onePhase(w[3], o.DilationW, o.PadLeft, y[3])
	case op.ConvTranspose:
		c.groups, c.m, c.c, c.upH, c.upW, c.transposed = o.Groups, w[1], w[0]/o.Groups, o.StrideH, o.StrideW, true
		c.h = stridePhases(w[2], o.StrideH, o.DilationH, o.PadTop, y[2])
		c.w = stridePhases(w[3], o.StrideW, o.DilationW, o.PadLeft, y[3])
	}
	return c
}

func onePhase(k, dilation, pad, count int) []axisPhase {
	p := axisPhase{count: count}
	for i := range k {
		p.taps = append(p.taps, axisTap{i, i*dilation - pad})
	}
	return []axisPhase{p}
}

// stridePhases: result i = u·stride + q receives source s by tap k where i = s·stride - pad + k·dilation, so s = u + off with
// off·stride = q + pad - k·dilation.
func stridePhases(k, stride, dilation, pad, size int) []axisPhase {
	var ps []axisPhase
	for q := range min(stride, size) {
		p := axisPhase{q: q, count: (size - q + stride - 1) / stride}
		for i := k - 1; i >= 0; i-- {
			if d := q + pad - i*dilation; d%stride == 0 {
				p.taps = append(p.taps, axisTap{i, d / stride})
			}
		}
		ps = append(ps, p)
	}
	return ps
}

// geometry is the kernels' Geometry.
func (c *convolution) geometry() []int32 {
	row, group := c.c*c.kh*c.kw, c.m*c.c*c.kh*c.kw
	if c.transposed {
		row = c.kh * c.kw
	}
	g := []int{c.inH, c.inW, c.inC * c.inH * c.inW, c.c * c.inH * c.inW, c.outC * c.outH * c.outW, c.outH * c.outW, c.outW,
		c.m, c.downH, c.downW, c.upH, c.upW, row, group, c.phases()}
	list := make([]int32, len(g))
	for i, v := range g {
		list[i] = int32(v)
	}
	return list
}

func (c *convolution) phases() int { return len(c.h) * len(c.w) }

// pixels is how many results a channel of the largest phase has, over all images.
func (c *convolution) pixels() int { return c.n * c.h[0].count * c.w[0].count }

// steps is how many numbers a result of the largest phase is summed from.
func (c *convolution) steps() (n int) {
	for _, h := range c.h {
		for _, w := range c.w {
			n = max(n, c.c*len(h.taps)*len(w.taps))
		}
	}
	return n
}

// tables are the kernels' Tap and Phase tables. Taps are ordered by channel, row, column, as a weight's elements are; by columns
// they are ordered by channel, column, row, and a phase's run is its rows.
func (c *convolution) tables(byColumns bool) (taps, phases []uint32) {
	word := func(list *[]uint32, values ...int) {
		for _, v := range values {
			*list = append(*list, uint32(int32(v)))
		}
	}
	for _, h := range c.h {
		for _, w := range c.w {
			each := h.count * w.count
			word(&phases, c.n*each, each, w.count, c.c*len(h.taps)*len(w.taps), len(taps)/4, h.q, w.q, len(h.taps))
			for ch := range c.c {
				tap := func(i, j axisTap) {
					weight := (ch*c.kh+i.k)*c.kw + j.k
					if c.transposed {
						weight = (ch*c.m*c.kh+i.k)*c.kw + j.k
					}
					word(&taps, (ch*c.inH+i.off)*c.inW+j.off, i.off, j.off, weight)
				}
				if byColumns {
					for _, j := range w.taps {
						for _, i := range h.taps {
							tap(i, j)
						}
					}
					continue
				}
				for _, i := range h.taps {
					for _, j := range w.taps {
						tap(i, j)
					}
				}
			}
		}
	}
	if len(taps) == 0 { // nothing reaches a result; a table has an address all the same
		word(&taps, 0, 0, 0, 0)
	}
	return taps, phases
}

// strips says that conv_strip fits: results below each other read rows below each other, and so do a column's taps.
func (c *convolution) strips() bool {
	return c.downH == 1 && !slices.ContainsFunc(c.h, func(p axisPhase) bool {
		for i := 1; i < len(p.taps); i++ {
			if p.taps[i].off != p.taps[0].off+i {
				return true
			}
		}
		return len(p.taps) > 5
	})
}

// convStore takes what the store computes: a bias by channel and a function.
func (b *binder) convStore(s *step) (st store, plane, channels int) {
	y := s.Case.Out[0].Shape
	plane, channels = y[2]*y[3], y[1]
	return b.storeOf(s, program.Access{Inner: plane, Period: channels}), plane, channels
}

// ownConv says that sizes can be counted with 32 bits and the grid holds all phases.
func ownConv(k kernels.Case) bool {
	if !countable(k.In, k.Out) {
		return false
	}
	phases, groups := 1, 1
	switch o := k.Op.(type) {
	case op.Conv:
		groups = o.Groups
	case op.ConvTranspose:
		groups, phases = o.Groups, min(o.StrideH, k.Out[0].Shape[2])*min(o.StrideW, k.Out[0].Shape[3])
	}
	w := k.In[1].Shape
	return groups*phases < 1<<16 && w[0] < 1<<19 && w[1] < 1<<19 && w.Size() < 1<<26
}

// fewChannels says that a product's tiles would be mostly empty, so that direct convolution is faster: few taps, or few filters.
func fewChannels(k kernels.Case) bool {
	if !ownConv(k) {
		return false
	}
	filters, taps := sums(k)
	return filters <= 4 || taps <= 36
}

// manyChannels is the opposite.
func manyChannels(k kernels.Case) bool { return ownConv(k) && !fewChannels(k) }

// sums is how many filters a group has, and of how many numbers a result is the sum.
func sums(k kernels.Case) (filters, taps int) {
	w := k.In[1].Shape
	switch o := k.Op.(type) {
	case op.Conv:
		return w[0] / o.Groups, w[1:].Size()
	case op.ConvTranspose:
		return w[1], w[0] / o.Groups * blocks(w[2], o.StrideH) * blocks(w[3], o.StrideW)
	}
	return 0, 0
}

// shapesOf reads sizes of four axes.
func shapesOf(s graph.Shape) (n, c, h, w int) { return s[0], s[1], s[2], s[3] }
