package cpu

import "aetrain/op"

// tap says that an output pixel of an axis is (1-f)·x[a] + f·x[b].
type tap struct {
	a, b int
	f    float32
}

func upsampleTaps(n, scale int, mode string) []tap {
	taps := make([]tap, n*scale)
	for i := range taps {
		a, b, f := op.UpsampleTap(i, n, scale, mode)
		taps[i] = tap{a, b, float32(f)}
	}
	return taps
}

// bindUpsample widens rows, each once, and then mixes neighbouring ones.
func bindUpsample(b *binder, s *step) error {
	o, in := s.Op.(op.Upsample), s.Case.In[0].Shape
	h, w, x, y, v := in[2], in[3], s.in[0].f32, s.out[0].f32, b.b.vec
	rows, columns := upsampleTaps(h, o.ScaleH, o.Mode), upsampleTaps(w, o.ScaleW, o.Mode)
	ow := len(columns)
	size := len(rows) * ow
	b.scratch(h*ow + ow)
	pairs := o.Mode == op.Nearest && o.ScaleW == 2
	b.items(in[0]*in[1], 2*size, func(wk *worker, from, to int) {
		wide, t := wk.local[:h*ow], wk.local[h*ow:h*ow+ow]
		for i := from; i < to; i++ {
			for r := range h {
				dst, src := wide[r*ow:(r+1)*ow], x[(i*h+r)*w:(i*h+r+1)*w]
				if pairs {
					interleave2(b.b.tier, dst, src, src)
				} else {
					widen(dst, src, columns)
				}
			}
			for r, k := range rows {
				dst := y[i*size+r*ow : i*size+(r+1)*ow]
				if k.f == 0 {
					copy(dst, wide[k.a*ow:])
					continue
				}
				v.MulS(t, wide[k.b*ow:(k.b+1)*ow], k.f)
				v.MulS(dst, wide[k.a*ow:(k.a+1)*ow], 1-k.f)
				v.Add(dst, dst, t)
			}
		}
	}).separate()
	return nil
}

func widen(dst, src []float32, columns []tap) {
	for j, k := range columns {
		if k.f == 0 {
			dst[j] = src[k.a]
			continue
		}
		dst[j] = (1-k.f)*src[k.a] + k.f*src[k.b]
	}
}

// bindUpsampleGrad is the transpose: rows are added to wide sums, which are then narrowed.
func bindUpsampleGrad(b *binder, s *step) error {
	o, out := s.Op.(op.UpsampleGrad), s.Case.Out[0].Shape
	h, w, dy, dx, v := out[2], out[3], s.in[0].f32, s.out[0].f32, b.b.vec
	rows, columns := upsampleTaps(h, o.ScaleH, o.Mode), upsampleTaps(w, o.ScaleW, o.Mode)
	ow := len(columns)
	size := len(rows) * ow
	b.scratch(h*ow + ow)
	pairs := o.Mode == op.Nearest && o.ScaleW == 2
	b.items(out[0]*out[1], 2*size, func(wk *worker, from, to int) {
		wide := wk.local[:h*ow]
		even, odd := wk.local[h*ow:][:ow/2], wk.local[h*ow+ow/2:][:ow/2]
		for i := from; i < to; i++ {
			clear(wide)
			for r, k := range rows {
				src := dy[i*size+r*ow : i*size+(r+1)*ow]
				v.AXPY(wide[k.a*ow:(k.a+1)*ow], src, 1-k.f)
				if k.f != 0 {
					v.AXPY(wide[k.b*ow:(k.b+1)*ow], src, k.f)
				}
			}
			for r := range h {
				dst, src := dx[(i*h+r)*w:(i*h+r+1)*w], wide[r*ow:(r+1)*ow]
				if pairs {
					deal2(b.b.tier, even, odd, src)
					v.Add(dst, even, odd)
				} else {
					narrow(dst, src, columns)
				}
			}
		}
	}).separate()
	return nil
}

func narrow(dst, src []float32, columns []tap) {
	clear(dst)
	for j, k := range columns {
		dst[k.a] += (1 - k.f) * src[j]
		if k.f != 0 {
			dst[k.b] += k.f * src[j]
		}
	}
}
