package cpu

import "aetrain/op"

// bindRNN computes the states of a time as products of those before.
func bindRNN(b *binder, s *step) error {
	o := s.Op.(op.RNNSequence)
	shape := s.Case.Out[1].Shape
	r := newRecurrence(shape[0], shape[1], shape[2], o.Reverse, s.in[4:])
	r.same = o.Steps > 0
	gates, weight, bias, h0 := s.in[0].f32, s.in[1].f32, s.in[2].f32, s.in[3].f32
	last, hs, before := s.out[0].f32, s.out[1].f32, s.out[2].f32
	products := b.gateProducts(&r, weight, 1, true)
	b.scratch(3*r.rows*r.h + products.local)
	v := b.b.vec
	b.phase(r.tasks(), func(w *worker, task int) {
		n0, rows := r.block(task)
		size, local := rows*r.h, w.local
		h, new := cut(&local, size), cut(&local, size)
		base, a := [1][]float32{cut(&local, size)}, [1][]float32{}
		copy(h, r.state(h0, n0, rows))
		for k := range r.t {
			t := r.time(k)
			r.put(before, h, n0, rows, t)
			a[0] = new
			r.gateInput(b.b, a[:], base[:], gates, bias, n0, rows, k)
			products.run(w, new, h, local, 0, rows)
			v.Tanh(new, new)
			r.keepMasked(new, h, n0, rows, t)
			h, new = new, h
			r.put(hs, h, n0, rows, t)
		}
		copy(r.state(last, n0, rows), h)
	})
	return nil
}

// bindRNNGrad walks back: the gradient of a time's gates, then the state's before it as a product with the weight.
func bindRNNGrad(b *binder, s *step) error {
	o := s.Op.(op.RNNGrad)
	shape := s.Case.Out[0].Shape
	rest := s.in[3:]
	var dH []float32
	if o.Sequence {
		dH, rest = rest[0].f32, rest[1:]
	}
	r := newRecurrence(shape[0], shape[1], shape[2], o.Reverse, rest)
	hs, weight, dLast := s.in[0].f32, s.in[1].f32, s.in[2].f32
	dGates, dSum, dH0 := s.out[0].f32, s.out[1].f32, s.out[2].f32
	products := b.gateProducts(&r, weight, 1, false)
	b.scratch(5*r.rows*r.h + products.local)
	v := b.b.vec
	b.phase(r.tasks(), func(w *worker, task int) {
		n0, rows := r.block(task)
		size, local := rows*r.h, w.local
		dh, next, d, h, sum := cut(&local, size), cut(&local, size), cut(&local, size), cut(&local, size), cut(&local, size)
		clear(sum)
		copy(dh, r.state(dLast, n0, rows))
		for k := r.t - 1; k >= 0; k-- {
			t := r.time(k)
			for i := range rows {
				copy(h[i*r.h:(i+1)*r.h], hs[r.row(n0+i, t, r.h):])
			}
			r.addSequence(b.b, dh, dH, n0, rows, t)
			v.TanhGrad(d, h, dh)
			r.clearMasked(d, n0, rows, t)
			r.put(dGates, d, n0, rows, t)
			v.Add(sum, sum, d)
			clear(next)
			products.run(w, next, d, local, 0, rows)
			r.keepMasked(next, dh, n0, rows, t)
			dh, next = next, dh
		}
		r.finish(dSum, [][]float32{sum}, n0, rows)
		r.finish(dH0, [][]float32{dh}, n0, rows)
	})
	return nil
}
