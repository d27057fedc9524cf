package cpu

import "aetrain/op"

// bindGRU computes the gates of a time as products of the state, the candidate's apart from its input's part.
func bindGRU(b *binder, s *step) error {
	o := s.Op.(op.GRUSequence)
	shape := s.Case.Out[1].Shape
	r := newRecurrence(shape[0], shape[1], shape[2], o.Reverse, s.in[4:])
	r.same = o.Steps > 0
	gates, weight, bias, h0 := s.in[0].f32, s.in[1].f32, s.in[2].f32, s.in[3].f32
	last, hs, before, acts := s.out[0].f32, s.out[1].f32, s.out[2].f32, s.out[3].f32
	products := b.gateProducts(&r, weight, 3, true)
	block := r.rows * r.h
	b.scratch(9*block + products.local)
	v := b.b.vec
	b.phase(r.tasks(), func(w *worker, task int) {
		n0, rows := r.block(task)
		size, local := rows*r.h, w.local
		h, new := cut(&local, size), cut(&local, size)
		var base [3][]float32
		var a, spare [4][]float32
		for g := range 3 {
			base[g] = cut(&local, size)
		}
		for g := range 4 {
			spare[g] = cut(&local, size)
		}
		copy(h, r.state(h0, n0, rows))
		for k := range r.t {
			t := r.time(k)
			r.put(before, h, n0, rows, t)
			for g := range 4 {
				a[g] = r.stored(acts, spare[g], 4, t, g, n0, rows)
			}
			r.gateInput(b.b, a[:3], base[:], gates, bias, n0, rows, k)
			for i := range rows {
				copy(a[3][i*r.h:(i+1)*r.h], bias[3*r.h:4*r.h])
			}
			products.run(w, a[0], h, local, 0, rows)
			products.run(w, a[1], h, local, 1, rows)
			products.run(w, a[3], h, local, 2, rows)
			v.Sigmoid(a[0], a[0])
			v.Sigmoid(a[1], a[1])
			v.MulAdd(a[2], a[0], a[3], a[2])
			v.Tanh(a[2], a[2])
			v.Sub(new, h, a[2])
			v.MulAdd(new, a[1], new, a[2])
			r.keepMasked(new, h, n0, rows, t)
			h, new = new, h
			r.put(hs, h, n0, rows, t)
		}
		copy(r.state(last, n0, rows), h)
	})
	return nil
}

// bindGRUGrad walks back: the gradients of a time's gates, then the state's before it as products with the weight.
func bindGRUGrad(b *binder, s *step) error {
	o := s.Op.(op.GRUGrad)
	shape := s.Case.Out[0].Shape
	rest := s.in[4:]
	var dH []float32
	if o.Sequence {
		dH, rest = rest[0].f32, rest[1:]
	}
	r := newRecurrence(shape[0], shape[1], shape[2]/3, o.Reverse, rest)
	acts, before, weight, dLast := s.in[0].f32, s.in[1].f32, s.in[2].f32, s.in[3].f32
	dInput, dHidden, dSum, dH0 := s.out[0].f32, s.out[1].f32, s.out[2].f32, s.out[3].f32
	products := b.gateProducts(&r, weight, 3, false)
	block := r.rows * r.h
	b.scratch(11*block + products.local)
	v := b.b.vec
	b.phase(r.tasks(), func(w *worker, task int) {
		n0, rows := r.block(task)
		size, local := rows*r.h, w.local
		dh, next, tmp := cut(&local, size), cut(&local, size), cut(&local, size)
		var a, d, sum [4][]float32 // d: of r, z, n of the input, n of the state
		for g := range 4 {
			d[g], sum[g] = cut(&local, size), cut(&local, size)
			clear(sum[g])
		}
		copy(dh, r.state(dLast, n0, rows))
		for k := r.t - 1; k >= 0; k-- {
			t := r.time(k)
			for g := range 4 {
				a[g] = r.stored(acts, nil, 4, t, g, n0, rows)
			}
			r.addSequence(b.b, dh, dH, n0, rows, t)
			v.Mul(next, dh, a[1])
			v.Sub(d[2], dh, next) // dh·(1-z)
			v.TanhGrad(d[2], a[2], d[2])
			v.Mul(d[0], d[2], a[3])
			v.SigmoidGrad(d[0], a[0], d[0])
			for i := range rows {
				copy(tmp[i*r.h:(i+1)*r.h], before[r.row(n0+i, t, r.h):])
			}
			v.Sub(tmp, tmp, a[2])
			v.Mul(d[1], dh, tmp)
			v.SigmoidGrad(d[1], a[1], d[1])
			v.Mul(d[3], d[2], a[0])
			for g := range 4 {
				r.clearMasked(d[g], n0, rows, t)
				v.Add(sum[g], sum[g], d[g])
			}
			for g := range 3 {
				products.run(w, next, d[g+g/2], local, g, rows) // the candidate's is its own
			}
			r.putGates(dInput, d[:3], n0, rows, t)
			d[2], d[3] = d[3], d[2]
			r.putGates(dHidden, d[:3], n0, rows, t)
			d[2], d[3] = d[3], d[2]
			r.keepMasked(next, dh, n0, rows, t)
			dh, next = next, dh
		}
		r.finish(dSum, sum[:], n0, rows)
		r.finish(dH0, [][]float32{dh}, n0, rows)
	})
	return nil
}
