package cpu

import (
	"aetrain/kernels"
	"aetrain/op"
)

// fewChannels fits convolutions whose product would be too thin for tiles of registers: few results a group, few sources.
func fewChannels(c kernels.Case) bool {
	switch o := c.Op.(type) {
	case op.Conv:
		return c.Out[0].Shape[1]/o.Groups < 3
	case op.ConvTranspose:
		return c.In[1].Shape[1] < 3
	case op.ConvWeightGrad:
		return c.In[0].Shape[1]/o.Groups < 3 && c.In[1].Shape[1]/o.Groups < 3
	}
	return false
}

// manyChannels is the contrary.
func manyChannels(c kernels.Case) bool { return !fewChannels(c) }

// bindConvDirect and bindConvTransposeDirect add up the window, tap by tap, each times its weight: a multiplication of vectors a
// tap, whole planes long where the stride lets rows follow each other.
func bindConvDirect(b *binder, s *step) error {
	c := newConv2D(s.Op.(op.Conv), s.Case.In[0].Shape, s.Case.In[1].Shape, s.Case.Out[0].Shape)
	b.convDirect(s, c)
	return nil
}

func bindConvTransposeDirect(b *binder, s *step) error {
	c := newConvTranspose2D(s.Op.(op.ConvTranspose), s.Case.In[0].Shape, s.Case.In[1].Shape, s.Case.Out[0].Shape)
	b.convDirect(s, c)
	return nil
}

func (b *binder) convDirect(s *step, c *convolution) {
	c.cut(b.b.tier, 1)
	c.images = 1
	tasks, windows := c.tasks(), c.win.size+windowSlack
	plane := c.rows * c.win.pitch
	b.scratch(windows + plane*c.stepW)
	x, weights, y, axpy := s.in[0].f32, s.in[1].f32, s.out[0].f32, b.b.vec.AXPY
	b.phase(len(tasks), func(w *worker, task int) {
		t, win, sums := tasks[task], w.local[:windows], w.local[windows:windows+plane*c.stepW]
		c.fill(win, x, t)
		for o := range c.outC {
			for _, p := range c.phases {
				rows := max(0, min(t.rows, p.rows-t.row))
				sum := sums[p.qx*plane : (p.qx+1)*plane]
				clear(sum)
				if rows > 0 {
					c.direct(axpy, sum, win[o/c.m*c.c*c.win.plane:], weights, o, p, rows)
				}
				if p.qx == min(c.stepW, c.outW)-1 {
					c.storeDirect(y, sums, plane, t, o, p.qy, rows)
				}
			}
		}
		c.finish(s, w, t)
	}).byExample(c.n, covers(tasks))
}

// direct adds the taps of one result channel; rows of sum are as far apart as those of the window.
func (c *convolution) direct(axpy func(dst, x []float32, s float32), sum, win, weights []float32, o int, p convPhase, rows int) {
	all, pitch, taps := c.kh*c.kw, c.win.pitch, len(p.taps)
	for k, off := range p.offs {
		ch, tap := k/taps, p.taps[k%taps]
		at := ((o*c.c)+ch)*all + tap
		if c.transposed {
			at = ((o/c.m*c.c+ch)*c.m+o%c.m)*all + tap
		}
		if c.sourceStep == 1 {
			n := (rows-1)*pitch + p.cols
			axpy(sum[:n], win[off:off+n], weights[at])
			continue
		}
		for r := range rows {
			from := off + r*c.sourceStep*pitch
			axpy(sum[r*pitch:r*pitch+p.cols], win[from:from+p.cols], weights[at])
		}
	}
}

// storeDirect moves a channel's rows qy from the blocks of sums to the image.
func (c *convolution) storeDirect(y, sums []float32, block int, t convTask, o, qy, rows int) {
	image := y[(t.image*c.outC+o)*c.outH*c.outW:]
	for r := range rows {
		dst := image[((t.row+r)*c.stepH+qy)*c.outW:][:c.outW]
		for q, p := range c.w {
			src := sums[q*block+r*c.win.pitch:][:p.count]
			if c.stepW == 1 {
				copy(dst, src)
				continue
			}
			for j, v := range src {
				dst[j*c.stepW+q] = v
			}
		}
	}
}
