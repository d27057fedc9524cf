package cpu

import (
	"aetrain/cpu/vec"
	"aetrain/op"
)

// bindGRU is op.GRUSequence, which has the shapes. There is one product for all gates: the candidate's part of the state stays apart
// from its input's in the kernel.
func bindGRU(b *binder, s *step) error {
	f := b.recurrentForward(s, s.Op.(op.GRUSequence).Recurrence, 3, 1)
	acts := s.out[3].f32
	b.scratch(f.scratch(4))
	v, args := b.b.vec, forEachWorker(b, func(*worker) *vec.GRUArgs { return new(vec.GRUArgs) })
	b.phase(f.tasks(), func(w *worker, task int) {
		a := args[w.id]
		k := f.start(w, task, &a.RecurrentArgs)
		spareActs := k.cut(4)
		for i := range f.t {
			a.Acts = k.acts(acts, spareActs, k.to(i))
			a.H0 = k.now
			v.GRU(a)
			k.done(i)
		}
		k.finish()
	})
	return nil
}

// bindGRUGrad is op.GRUGrad: it adds the products to what has gone around the gates. The gradients of the input's part, N×T×3H, are
// not wanted where the input is the same at all times: their sum is enough.
func bindGRUGrad(b *binder, s *step) error {
	o := s.Op.(op.GRUGrad)
	acts, before, dInput := s.in[0].f32, s.in[1].f32, s.out[0].f32
	r := &recurrentBackward{
		recurrence: newRecurrence(s.Case.Out[0].Shape, 3, o.Reverse), sums: 4, around: true,
		dLast: s.in[3].f32, dGates: s.out[1].f32, dSum: s.out[2].f32, dH0: s.out[3].f32,
	}
	r.optional(s.in[4:], o.Sequence)
	r.reserve(b, s.in[2].f32, 0)
	v, args := b.b.vec, forEachWorker(b, func(*worker) *vec.GRUGradArgs { return &vec.GRUGradArgs{BeforeStep: r.t * r.h} })
	b.phase(r.tasks(), func(w *worker, task int) {
		a := args[w.id]
		k := r.start(w, task, &a.RecurrentGradArgs)
		for i := r.t - 1; i >= 0; i-- {
			t := k.to(i)
			a.Acts, a.Before = k.acts(acts, nil, t), k.from(before, 1, t)
			a.Inputs, a.Around = k.from(dInput, 3, t), k.dhBefore
			v.GRUGrad(a)
			k.clearMasked(a.Inputs, t)
			k.done(t)
		}
		k.finish()
	})
	return nil
}
