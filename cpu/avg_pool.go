package cpu

import "aetrain/op"

// bindAvgPool adds the rows of a window, then the columns of that sum.
func bindAvgPool(b *binder, s *step) error {
	in, out := s.Case.In[0].Shape, s.Case.Out[0].Shape
	p := pooling{s.Op.(op.AvgPool).PoolConfig, in[2], in[3], out[2], out[3]}
	x, y, add, scale := s.in[0].f32, s.out[0].f32, b.b.vec.Add, b.b.vec.MulS
	size, each := p.h*p.w, p.oh*p.ow
	b.scratch(3 * p.w)
	b.items(in[0]*in[1], 2*size, func(w *worker, from, to int) {
		sum, even, odd := w.local[:p.w], w.local[p.w:2*p.w], w.local[2*p.w:]
		for i := from; i < to; i++ {
			plane := x[i*size : (i+1)*size]
			for r := range p.oh {
				top, bottom := p.rows(r)
				copy(sum, plane[top*p.w:])
				for k := top + 1; k < bottom; k++ {
					add(sum, sum, plane[k*p.w:(k+1)*p.w])
				}
				dst := y[i*each+r*p.ow:][:p.ow]
				if p.pairs() {
					deal2(b.b.tier, even[:p.ow], odd[:p.ow], sum[:2*p.ow])
					add(dst, even, odd)
					scale(dst, dst, 0.25)
					continue
				}
				p.average(dst, sum, top, bottom)
			}
		}
	}).separate()
	return nil
}

// average adds up the columns of each window, from the sums of its rows top to bottom.
func (p pooling) average(y, sum []float32, top, bottom int) {
	for j := range y {
		left, right := p.columns(j)
		t := float32(0)
		for _, v := range sum[left:right] {
			t += v
		}
		y[j] = t / float32(p.Divisor(top, bottom, left, right))
	}
}

// bindAvgPoolGrad spreads each gradient over its window: over a row first, which is then added to the window's rows.
func bindAvgPoolGrad(b *binder, s *step) error {
	in, out := s.Case.In[0].Shape, s.Case.Out[0].Shape
	p := pooling{s.Op.(op.AvgPoolGrad).PoolConfig, out[2], out[3], in[2], in[3]}
	dy, dx, add, scale := s.in[0].f32, s.out[0].f32, b.b.vec.Add, b.b.vec.MulS
	size, each := p.h*p.w, p.oh*p.ow
	b.scratch(2 * p.w)
	b.items(in[0]*in[1], 2*size, func(w *worker, from, to int) {
		share, t := w.local[:p.w], w.local[p.w:2*p.w]
		for i := from; i < to; i++ {
			plane := dx[i*size : (i+1)*size]
			clear(plane)
			for r := range p.oh {
				top, bottom := p.rows(r)
				if p.pairs() {
					scale(t[:p.ow], dy[i*each+r*p.ow:][:p.ow], 0.25)
					interleave2(b.b.tier, plane[top*p.w:][:2*p.ow], t[:p.ow], t)
					copy(plane[(top+1)*p.w:], plane[top*p.w:(top+1)*p.w])
					continue
				}
				clear(share)
				for j, d := range dy[i*each+r*p.ow:][:p.ow] {
					left, right := p.columns(j)
					d /= float32(p.Divisor(top, bottom, left, right))
					for k := left; k < right; k++ {
						share[k] += d
					}
				}
				for k := top; k < bottom; k++ {
					add(plane[k*p.w:(k+1)*p.w], plane[k*p.w:(k+1)*p.w], share)
				}
			}
		}
	}).separate()
	return nil
}
