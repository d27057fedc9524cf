package cpu

import (
	"aetrain/cpu/vec"
	"aetrain/op"
)

// bindRNN is op.RNNSequence, which has the shapes: there are states and nothing else.
func bindRNN(b *binder, s *step) error {
	f := b.recurrentForward(s, s.Op.(op.RNNSequence).Recurrence, 1, 1)
	b.scratch(f.scratch(0))
	v, args := b.b.vec, forEachWorker(b, func(*worker) *vec.RNNArgs { return new(vec.RNNArgs) })
	b.phase(f.tasks(), func(w *worker, task int) {
		a := args[w.id]
		k := f.start(w, task, &a.RecurrentArgs)
		for i := range f.t {
			k.to(i)
			v.RNN(a)
			k.done(i)
		}
		k.finish()
	})
	return nil
}

// bindRNNGrad is op.RNNGrad: it reads the states, N×T×H, whose activation tells its own derivative.
func bindRNNGrad(b *binder, s *step) error {
	o := s.Op.(op.RNNGrad)
	states := s.in[0].f32
	r := &recurrentBackward{
		recurrence: newRecurrence(s.Case.Out[0].Shape, 1, o.Reverse), sums: 1,
		dLast: s.in[2].f32, dGates: s.out[0].f32, dSum: s.out[1].f32, dH0: s.out[2].f32,
	}
	r.optional(s.in[3:], o.Sequence)
	r.reserve(b, s.in[1].f32, 0)
	v, args := b.b.vec, forEachWorker(b, func(*worker) *vec.RNNGradArgs { return &vec.RNNGradArgs{StatesStep: r.t * r.h} })
	b.phase(r.tasks(), func(w *worker, task int) {
		a := args[w.id]
		k := r.start(w, task, &a.RecurrentGradArgs)
		for i := r.t - 1; i >= 0; i-- {
			t := k.to(i)
			a.States = k.from(states, 1, t)
			v.RNNGrad(a)
			k.done(t)
		}
		k.finish()
	})
	return nil
}
