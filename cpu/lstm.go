package cpu

import (
	"aetrain/cpu/vec"
	"aetrain/op"
)

// bindLSTM is op.LSTMSequence, which has the shapes: it keeps the cells beside the states.
func bindLSTM(b *binder, s *step) error {
	f := b.recurrentForward(s, s.Op.(op.LSTMSequence).Recurrence, 4, 2)
	c0, last, cs, acts := s.in[4].f32, s.out[1].f32, s.out[4].f32, s.out[5].f32
	b.scratch(f.scratch(6))
	v, args := b.b.vec, forEachWorker(b, func(*worker) *vec.LSTMArgs { return new(vec.LSTMArgs) })
	b.phase(f.tasks(), func(w *worker, task int) {
		a := args[w.id]
		k := f.start(w, task, &a.RecurrentArgs)
		c, spareC, spareActs := k.cut(1), k.cut(1), k.cut(4)
		copy(c, k.state(c0, 1))
		for i := range f.t {
			t := k.to(i)
			a.Acts = k.acts(acts, spareActs, t)
			a.C, a.NewC = c, k.stored(cs, spareC, 1, t, 0)
			v.LSTM(a)
			k.keepMasked(a.NewC, c, 1, t)
			k.done(i)
			if cs == nil {
				spareC = c
			}
			c = a.NewC
		}
		k.finish()
		copy(k.state(last, 1), c)
	})
	return nil
}

// bindLSTMGrad is op.LSTMGrad: it keeps the cells' gradients beside the states'.
func bindLSTMGrad(b *binder, s *step) error {
	o := s.Op.(op.LSTMGrad)
	acts, cs, c0, dCell, dC0 := s.in[0].f32, s.in[1].f32, s.in[2].f32, s.in[5].f32, s.out[3].f32
	r := &recurrentBackward{
		recurrence: newRecurrence(s.Case.Out[0].Shape, 4, o.Reverse), sums: 4,
		dLast: s.in[4].f32, dGates: s.out[0].f32, dSum: s.out[1].f32, dH0: s.out[2].f32,
	}
	r.optional(s.in[6:], o.Sequence)
	r.reserve(b, s.in[3].f32, 2)
	v, args := b.b.vec, forEachWorker(b, func(*worker) *vec.LSTMGradArgs { return new(vec.LSTMGradArgs) })
	b.phase(r.tasks(), func(w *worker, task int) {
		a := args[w.id]
		k := r.start(w, task, &a.RecurrentGradArgs)
		dc, dcBefore := k.cut(1), k.cut(1)
		copy(dc, k.state(dCell, 1))
		for i := r.t - 1; i >= 0; i-- {
			t := k.to(i)
			a.Acts, a.C, a.Before = k.acts(acts, nil, t), k.stored(cs, nil, 1, t, 0), k.state(c0, 1)
			if i > 0 {
				a.Before = k.stored(cs, nil, 1, k.time(i-1), 0)
			}
			a.DC, a.NewDC = dc, dcBefore
			v.LSTMGrad(a)
			k.keepMasked(dcBefore, dc, 1, t)
			dc, dcBefore = dcBefore, dc
			k.done(t)
		}
		k.finish()
		copy(k.state(dC0, 1), dc)
	})
	return nil
}
