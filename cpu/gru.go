package cpu

import (
	"aetrain/cpu/vec"
	"aetrain/op"
)

// bindGRU has one product for all gates: the candidate's part of the state stays apart from its input's in the kernel.
func bindGRU(b *binder, s *step) error {
	f := b.forward(s, s.Op.(op.GRUSequence).Recurrence, 3, 1)
	acts := s.out[3].f32
	b.scratch(f.scratch(4))
	v, args := b.b.vec, forEachWorker(b, func(*worker) *vec.GRUArgs { return new(vec.GRUArgs) })
	b.phase(f.tasks(), func(w *worker, task int) {
		a := args[w.id]
		k := f.start(w, task, &a.RecurrentArgs)
		spare := k.cut(4)
		for i := range f.t {
			a.Acts = k.acts(acts, spare, k.next(i))
			a.H0 = k.now
			v.GRU(a)
			k.done(i)
		}
		k.finish()
	})
	return nil
}

// bindGRUGrad adds the products to what has gone around the gates.
func bindGRUGrad(b *binder, s *step) error {
	o := s.Op.(op.GRUGrad)
	acts, before, dInput := s.in[0].f32, s.in[1].f32, s.out[0].f32
	if s.src.Out[0] < 0 {
		dInput = nil // the gates are the same at all times: their sum is enough
	}
	r := b.backward(backward{sums: 4, around: true, dLast: s.in[3].f32, dGates: s.out[1].f32, dSum: s.out[2].f32, dH0: s.out[3].f32},
		s.Case.Out[0].Shape, 3, s.in[2].f32, o.Reverse, o.Sequence, s.in[4:])
	b.scratch(r.scratch(0))
	v, args := b.b.vec, forEachWorker(b, func(*worker) *vec.GRUGradArgs { return &vec.GRUGradArgs{BeforeStep: r.t * r.h} })
	b.phase(r.tasks(), func(w *worker, task int) {
		a := args[w.id]
		k := r.start(w, task, &a.RecurrentGradArgs)
		for i := r.t - 1; i >= 0; i-- {
			t := k.to(i)
			a.Acts, a.Before = k.acts(acts, nil, t), k.from(before, 1, t)
			a.Inputs, a.Around = k.from(dInput, 3, t), k.next
			v.GRUGrad(a)
			k.clearMasked(a.Inputs, t)
			k.done(t)
		}
		k.finish()
	})
	return nil
}
