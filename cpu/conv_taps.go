package cpu

import (
	"aetrain/cpu/gemm"
	"aetrain/kernels"
	"aetrain/op"
)

// tapsFit fits layers that end in few channels, like the last one of a decoder: one group, stride 1, and enough channels before.
func tapsFit(c kernels.Case) bool {
	few := func(o op.ConvConfig, out, in, taps int) bool {
		return o.Groups == 1 && o.StrideH == 1 && o.StrideW == 1 && out < 4 && in >= 8 && out*taps <= 128
	}
	w := c.In[1].Shape
	switch o := c.Op.(type) {
	case op.Conv:
		return few(o.ConvConfig, w[0], w[1], w[2]*w[3])
	case op.ConvTranspose:
		return few(o.ConvConfig, w[1], w[0], w[2]*w[3])
	}
	return false
}

// bindConvTaps and bindConvTransposeTaps multiply first and shift later: the taps of a filter become rows of a product with the
// image as it lies in memory, and the resulting planes are added up, each shifted by its tap. Nothing is packed, and tiles are
// full although there are few results.
func bindConvTaps(b *binder, s *step) error {
	c := newConv2D(s.Op.(op.Conv), s.Case.In[0].Shape, s.Case.In[1].Shape, s.Case.Out[0].Shape)
	return b.convTaps(s, c)
}

func bindConvTransposeTaps(b *binder, s *step) error {
	c := newConvTranspose2D(s.Op.(op.ConvTranspose), s.Case.In[0].Shape, s.Case.In[1].Shape, s.Case.Out[0].Shape)
	return b.convTaps(s, c)
}

func (b *binder) convTaps(s *step, c *convolution) error {
	taps, in, out := c.kh*c.kw, c.inH*c.inW, c.outH*c.outW
	packed := alloc(c.m * taps * c.c)
	b.packTaps(c, packed, s.in[1].f32)
	plan := gemm.NewPlan(b.b.tier, gemm.Shape{M: c.m * taps, N: in, K: c.c}, gemm.Options{Serial: true})
	planes := c.m * taps * in
	b.scratch(planes + plan.LocalFloats())
	calls := forEachWorker(b, func(*worker) *gemm.Call { return new(gemm.Call) })
	x, y, add := s.in[0].f32, s.out[0].f32, b.b.vec.Add
	b.phase(c.n, func(w *worker, n int) {
		z, call := w.local[:planes], calls[w.id]
		call.A, call.B, call.C, call.Local = packed, x[n*c.c*in:(n+1)*c.c*in], z, w.local[planes:]
		plan.Do(0, call)
		for o := range c.m {
			dst := y[(n*c.m+o)*out : (n*c.m+o+1)*out]
			clear(dst)
			for i, h := range c.h[0].taps {
				for j, v := range c.w[0].taps {
					c.addShifted(add, dst, z[((o*c.kh+i)*c.kw+j)*in:][:in], h.off, v.off)
				}
			}
		}
		if s.chain != nil {
			s.chain.run(w, n*c.m*out, c.m*out)
		}
	}).byExample(c.n, single)
	return nil
}

// addShifted adds the part of a source plane that lies dy rows and dx columns beyond the results.
func (c *convolution) addShifted(add func(dst, a, b []float32), dst, z []float32, dy, dx int) {
	from, to := max(0, -dx), min(c.outW, c.inW-dx)
	if from >= to {
		return
	}
	for r := max(0, -dy); r < min(c.outH, c.inH-dy); r++ {
		d := dst[r*c.outW+from : r*c.outW+to]
		add(d, d, z[(r+dy)*c.inW+from+dx:(r+dy)*c.inW+to+dx])
	}
}

// packTaps brings the weights into rows of source channels, by result channel and tap.
func (b *binder) packTaps(c *convolution, dst, w []float32) {
	taps := c.kh * c.kw
	b.items(c.c, c.m*taps*2, func(_ *worker, from, to int) {
		for ch := from; ch < to; ch++ {
			for o := range c.m {
				src := w[(o*c.c+ch)*taps:][:taps]
				if c.transposed {
					src = w[(ch*c.m+o)*taps:][:taps]
				}
				for t, v := range src {
					dst[(o*taps+t)*c.c+ch] = v
				}
			}
		}
	}).prepares(1)
}
