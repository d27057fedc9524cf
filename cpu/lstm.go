package cpu

import "aetrain/op"

// bindLSTM computes all gates of a time as products of the state, in place over the input's part, then the cell.
func bindLSTM(b *binder, s *step) error {
	o := s.Op.(op.LSTMSequence)
	shape := s.Case.Out[2].Shape
	r := newRecurrence(shape[0], shape[1], shape[2], o.Reverse, s.in[5:])
	r.same = o.Steps > 0
	gates, weight, bias, h0, c0 := s.in[0].f32, s.in[1].f32, s.in[2].f32, s.in[3].f32, s.in[4].f32
	last, cell, hs, before, cs, acts := s.out[0].f32, s.out[1].f32, s.out[2].f32, s.out[3].f32, s.out[4].f32, s.out[5].f32
	products := b.gateProducts(&r, weight, 4, true)
	block := r.rows * r.h
	b.scratch(12*block + products.local)
	v := b.b.vec
	b.phase(r.tasks(), func(w *worker, task int) {
		n0, rows := r.block(task)
		size, local := rows*r.h, w.local
		h, c, spare, new := cut(&local, size), cut(&local, size), cut(&local, size), cut(&local, size)
		var base, a, spareGates [4][]float32
		for g := range 4 {
			base[g], spareGates[g] = cut(&local, size), cut(&local, size)
		}
		copy(h, r.state(h0, n0, rows))
		copy(c, r.state(c0, n0, rows))
		for k := range r.t {
			t := r.time(k)
			r.put(before, h, n0, rows, t)
			for g := range 4 {
				a[g] = r.stored(acts, spareGates[g], 4, t, g, n0, rows)
			}
			r.gateInput(b.b, a[:], base[:], gates, bias, n0, rows, k)
			for g := range 4 {
				products.add(w, a[g], h, local, g, rows)
			}
			v.Sigmoid(a[0], a[0])
			v.Sigmoid(a[1], a[1])
			v.Tanh(a[2], a[2])
			v.Sigmoid(a[3], a[3])
			next := r.stored(cs, spare, 1, t, 0, n0, rows)
			v.Mul(next, a[1], c)
			v.MulAdd(next, a[0], a[2], next)
			r.keepMasked(next, c, n0, rows, t)
			v.Tanh(new, next)
			v.Mul(new, a[3], new)
			r.keepMasked(new, h, n0, rows, t)
			h, new = new, h
			if cs == nil {
				spare = c
			}
			c = next
			r.put(hs, h, n0, rows, t)
		}
		copy(r.state(last, n0, rows), h)
		if cell != nil {
			copy(r.state(cell, n0, rows), c)
		}
	})
	return nil
}

// bindLSTMGrad walks back: the cell's gradients of a time, then the state's before it as products with the weight.
func bindLSTMGrad(b *binder, s *step) error {
	o := s.Op.(op.LSTMGrad)
	shape := s.Case.Out[0].Shape
	rest := s.in[6:]
	var dH []float32
	if o.Sequence {
		dH, rest = rest[0].f32, rest[1:]
	}
	r := newRecurrence(shape[0], shape[1], shape[2]/4, o.Reverse, rest)
	acts, cs, c0, weight, dLast, dCell := s.in[0].f32, s.in[1].f32, s.in[2].f32, s.in[3].f32, s.in[4].f32, s.in[5].f32
	dGates, dSum, dH0, dC0 := s.out[0].f32, s.out[1].f32, s.out[2].f32, s.out[3].f32
	products := b.gateProducts(&r, weight, 4, false)
	block := r.rows * r.h
	b.scratch(12*block + products.local)
	v := b.b.vec
	b.phase(r.tasks(), func(w *worker, task int) {
		n0, rows := r.block(task)
		size, local := rows*r.h, w.local
		dh, dc, next, squashed := cut(&local, size), cut(&local, size), cut(&local, size), cut(&local, size)
		var a, d, sum [4][]float32
		for g := range 4 {
			d[g], sum[g] = cut(&local, size), cut(&local, size)
			clear(sum[g])
		}
		copy(dh, r.state(dLast, n0, rows))
		copy(dc, r.state(dCell, n0, rows))
		for k := r.t - 1; k >= 0; k-- {
			t := r.time(k)
			previous := r.state(c0, n0, rows)
			if k > 0 {
				previous = r.stored(cs, nil, 1, r.time(k-1), 0, n0, rows)
			}
			for g := range 4 {
				a[g] = r.stored(acts, nil, 4, t, g, n0, rows)
			}
			r.addSequence(b.b, dh, dH, n0, rows, t)
			v.Tanh(squashed, r.stored(cs, nil, 1, t, 0, n0, rows))
			v.Mul(d[3], dh, squashed)
			v.SigmoidGrad(d[3], a[3], d[3])
			v.Mul(next, dh, a[3])
			v.TanhGrad(next, squashed, next)
			v.Add(next, next, dc) // dc here
			v.Mul(d[0], next, a[2])
			v.SigmoidGrad(d[0], a[0], d[0])
			v.Mul(d[1], next, previous)
			v.SigmoidGrad(d[1], a[1], d[1])
			v.Mul(d[2], next, a[0])
			v.TanhGrad(d[2], a[2], d[2])
			v.Mul(next, next, a[1]) // dc before
			r.keepMasked(next, dc, n0, rows, t)
			dc, next = next, dc
			clear(next)
			for g := range 4 {
				r.clearMasked(d[g], n0, rows, t)
				v.Add(sum[g], sum[g], d[g])
				products.add(w, next, d[g], local, g, rows)
			}
			r.putGates(dGates, d[:], n0, rows, t)
			r.keepMasked(next, dh, n0, rows, t)
			dh, next = next, dh
		}
		r.finish(dSum, sum[:], n0, rows)
		r.finish(dH0, [][]float32{dh}, n0, rows)
		r.finish(dC0, [][]float32{dc}, n0, rows)
	})
	return nil
}

// finish writes blocks side by side to the rows of an N×len(blocks)·H value, if anybody wants it.
func (r *recurrence) finish(dst []float32, blocks [][]float32, n0, rows int) {
	if dst == nil {
		return
	}
	for i := range rows {
		for g, x := range blocks {
			copy(dst[((n0+i)*len(blocks)+g)*r.h:], x[i*r.h:(i+1)*r.h])
		}
	}
}
