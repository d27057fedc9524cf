package cpu

import (
	"aetrain/cpu/gemm"
	"aetrain/cpu/vec"
	"aetrain/op"
)

// bindLSTM computes the products of all gates of a time with the state, then the cell.
func bindLSTM(b *binder, s *step) error {
	o := s.Op.(op.LSTMSequence)
	shape := s.Case.Out[2].Shape
	r := newRecurrence(shape[0], shape[1], shape[2], o.Reverse, s.in[5:])
	r.same = o.Steps > 0
	gates, weight, bias, h0, c0 := s.in[0].f32, s.in[1].f32, s.in[2].f32, s.in[3].f32, s.in[4].f32
	last, cell, hs, before, cs, acts := s.out[0].f32, s.out[1].f32, s.out[2].f32, s.out[3].f32, s.out[4].f32, s.out[5].f32
	products := b.recurrentProducts(&r, weight, gemm.Shape{N: 4 * r.h, K: r.h, TransB: true}, 1)
	b.scratch(12*r.rows*r.h + products.local)
	v, times := b.b.vec, forEachWorker(b, func(*worker) *vec.LSTMArgs { return new(vec.LSTMArgs) })
	b.phase(r.tasks(), func(w *worker, task int) {
		n0, rows := r.block(task)
		size, local, a := rows*r.h, w.local, times[w.id]
		h, c, spare, new := cut(&local, size), cut(&local, size), cut(&local, size), cut(&local, size)
		spareGates := cut(&local, 4*size)
		a.Rows, a.H, a.Bias, a.Products, a.CopyStep, a.Next = rows, r.h, bias, cut(&local, 4*size), r.t*r.h, r.ahead(1)
		copy(h, r.state(h0, n0, rows))
		copy(c, r.state(c0, n0, rows))
		r.put(before, h, n0, rows, r.time(0))
		for k := range r.t {
			t := r.time(k)
			products.run(w, a.Products, h, local, 0, rows)
			a.Input, a.InputStep = r.input(gates, 4*r.h, n0, k)
			for g := range 4 {
				a.Acts[g] = r.stored(acts, spareGates[g*size:(g+1)*size], 4, t, g, n0, rows)
			}
			next := r.stored(cs, spare, 1, t, 0, n0, rows)
			a.C, a.NewC, a.H1 = c, next, new
			a.Copies = [2][]float32{r.from(hs, n0, t), nil}
			if k+1 < r.t {
				a.Copies[1] = r.from(before, n0, r.time(k+1))
			}
			v.LSTM(a)
			r.holdLSTM(a, h, n0, rows, t)
			h, new = new, h
			if cs == nil {
				spare = c
			}
			c = next
		}
		copy(r.state(last, n0, rows), h)
		if cell != nil {
			copy(r.state(cell, n0, rows), c)
		}
	})
	return nil
}

// holdLSTM leaves the examples that the mask hides at time t with the cells and the states h that they had before.
func (r *recurrence) holdLSTM(a *vec.LSTMArgs, h []float32, n0, rows, t int) {
	if r.mask == nil {
		return
	}
	r.keepMasked(a.NewC, a.C, n0, rows, t)
	r.keepMasked(a.H1, h, n0, rows, t)
	for _, to := range a.Copies {
		r.put(to, a.H1, 0, rows, 0)
	}
}

// bindLSTMGrad walks back: the cell's gradients of a time, then the state's before it as their products with the weight.
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
	products := b.recurrentProducts(&r, weight, gemm.Shape{N: r.h, K: 4 * r.h}, 1)
	b.scratch(14*r.rows*r.h + products.local)
	v, times := b.b.vec, forEachWorker(b, func(*worker) *vec.LSTMGradArgs { return new(vec.LSTMGradArgs) })
	b.phase(r.tasks(), func(w *worker, task int) {
		n0, rows := r.block(task)
		size, local, a := rows*r.h, w.local, times[w.id]
		dh, dc, nextH, nextC := cut(&local, size), cut(&local, size), cut(&local, size), cut(&local, size)
		validH, validC := cut(&local, size), cut(&local, size)
		a.Rows, a.H, a.Next, a.Gates, a.Sum = rows, r.h, r.ahead(-1), cut(&local, 4*size), cut(&local, 4*size)
		a.SequenceStep, a.CopyStep = r.t*r.h, r.t*4*r.h
		clear(a.Sum)
		copy(dh, r.state(dLast, n0, rows))
		copy(dc, r.state(dCell, n0, rows))
		for k := r.t - 1; k >= 0; k-- {
			t := r.time(k)
			a.Before = r.state(c0, n0, rows)
			if k > 0 {
				a.Before = r.stored(cs, nil, 1, r.time(k-1), 0, n0, rows)
			}
			for g := range 4 {
				a.Acts[g] = r.stored(acts, nil, 4, t, g, n0, rows)
			}
			a.C, a.DH, a.DC, a.NewDC = r.stored(cs, nil, 1, t, 0, n0, rows), dh, dc, nextC
			a.Sequence, a.Copy = r.from(dH, n0, t), nil
			if dGates != nil {
				a.Copy = dGates[r.row(n0, t, 4*r.h):]
			}
			r.hideLSTM(b.b, a, dH, validH, validC, n0, rows, t)
			v.LSTMGrad(a)
			r.keepMasked(nextC, dc, n0, rows, t)
			dc, nextC = nextC, dc
			products.run(w, nextH, a.Gates, local, 0, rows)
			r.keepMasked(nextH, dh, n0, rows, t)
			dh, nextH = nextH, dh
		}
		if dSum != nil {
			copy(dSum[n0*4*r.h:], a.Sum)
		}
		r.finish(dH0, [][]float32{dh}, n0, rows)
		r.finish(dC0, [][]float32{dc}, n0, rows)
	})
	return nil
}

// hideLSTM takes the gradients of the examples that the mask hides at time t out of a, whose gradients of states and cells it copies;
// dH, of all states, is added to those of the states already.
func (r *recurrence) hideLSTM(b *Backend, a *vec.LSTMGradArgs, dH, validH, validC []float32, n0, rows, t int) {
	if r.mask == nil {
		return
	}
	r.addSequence(b, a.DH, dH, n0, rows, t)
	copy(validH, a.DH)
	copy(validC, a.DC)
	r.clearMasked(validH, n0, rows, t)
	r.clearMasked(validC, n0, rows, t)
	a.DH, a.DC, a.Sequence = validH, validC, nil
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
