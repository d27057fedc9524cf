package cpu

import (
	"aetrain/cpu/vec"
	"aetrain/op"
)

// bindLSTM keeps the cells beside the states.
func bindLSTM(b *binder, s *step) error {
	f := b.forward(s, s.Op.(op.LSTMSequence).Recurrence, 4, 2)
	c0, last, cs, acts := s.in[4].f32, s.out[1].f32, s.out[4].f32, s.out[5].f32
	b.scratch(f.scratch(6))
	v, args := b.b.vec, forEachWorker(b, func(*worker) *vec.LSTMArgs { return new(vec.LSTMArgs) })
	b.phase(f.tasks(), func(w *worker, task int) {
		a := args[w.id]
		k := f.start(w, task, &a.RecurrentArgs)
		c, spare, gates := k.cut(1), k.cut(1), k.cut(4)
		copy(c, k.state(c0, 1))
		for i := range f.t {
			t := k.next(i)
			a.Acts = k.acts(acts, gates, t)
			a.C, a.NewC = c, k.stored(cs, spare, 1, t, 0)
			v.LSTM(a)
			k.keepMasked(a.NewC, c, 1, t)
			k.done(i)
			if cs == nil {
				spare = c
			}
			c = a.NewC
		}
		k.finish()
		copy(k.state(last, 1), c)
	})
	return nil
}

// bindLSTMGrad keeps the cells' gradients beside the states'.
func bindLSTMGrad(b *binder, s *step) error {
	o := s.Op.(op.LSTMGrad)
	acts, cs, c0, dCell, dC0 := s.in[0].f32, s.in[1].f32, s.in[2].f32, s.in[5].f32, s.out[3].f32
	r := b.backward(backward{sums: 4, dLast: s.in[4].f32, dGates: s.out[0].f32, dSum: s.out[1].f32, dH0: s.out[2].f32},
		s.Case.Out[0].Shape, 4, s.in[3].f32, o.Reverse, o.Sequence, s.in[6:])
	b.scratch(r.scratch(2))
	v, args := b.b.vec, forEachWorker(b, func(*worker) *vec.LSTMGradArgs { return new(vec.LSTMGradArgs) })
	b.phase(r.tasks(), func(w *worker, task int) {
		a := args[w.id]
		k := r.start(w, task, &a.RecurrentGradArgs)
		dc, next := k.cut(1), k.cut(1)
		copy(dc, k.state(dCell, 1))
		for i := r.t - 1; i >= 0; i-- {
			t := k.to(i)
			a.Acts, a.C, a.Before = k.acts(acts, nil, t), k.stored(cs, nil, 1, t, 0), k.state(c0, 1)
			if i > 0 {
				a.Before = k.stored(cs, nil, 1, k.time(i-1), 0)
			}
			a.DC, a.NewDC = dc, next
			v.LSTMGrad(a)
			k.keepMasked(next, dc, 1, t)
			dc, next = next, dc
			k.done(t)
		}
		k.finish()
		copy(k.state(dC0, 1), dc)
	})
	return nil
}
