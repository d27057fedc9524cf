package cpu

import (
	"aetrain/cpu/gemm"
	"aetrain/cpu/vec"
)

// backward is what the gradients of all recurrent ops have on their way back through time.
type backward struct {
	recurrence
	sums              int       // blocks of a row of dSum: as many as gates, or more
	around            bool      // states also go around the gates: products are added to what came that way
	dLast, dH         []float32 // of the last states, N×H, and of all, N×T×H; nil: none
	dGates, dSum, dH0 []float32 // N×T×GH, N×sums·H, N×H; nil: nobody wants it
}

// backward reserves the products of a step with weight. rest are the inputs behind its own: dH where there is a sequence, a mask.
func (b *binder) backward(r backward, shape []int, gates int, weight []float32, reverse, sequence bool, rest []memory) *backward {
	if sequence {
		r.dH, rest = rest[0].f32, rest[1:]
	}
	r.recurrence = newRecurrence(shape[0], shape[1], shape[2]/gates, gates, reverse, rest)
	r.products = b.recurrentProducts(&r.recurrence, weight, gemm.Shape{N: r.h, K: gates * r.h, Accumulate: r.around})
	return &r
}

// scratch is how many floats a worker needs, with some blocks of the cell's own.
func (r *backward) scratch(own int) int { return r.recurrence.scratch(3 + r.gates + r.sums + own) }

// walkBack is a task's way back.
type walkBack struct {
	examples
	r               *backward
	a               *vec.RecurrentGradArgs
	dh, next, spare []float32 // gradients of the states it has come to, of those before, and without what the mask hides
}

// start begins a task at the last states.
func (r *backward) start(w *worker, task int, a *vec.RecurrentGradArgs) walkBack {
	k := walkBack{examples: r.examples(w, task), r: r, a: a}
	k.dh, k.next, k.spare, a.Gates, a.Sum = k.cut(1), k.cut(1), k.cut(1), k.cut(r.gates), k.cut(r.sums)
	a.Rows, a.H = k.rows, r.h
	a.SequenceStep, a.CopyStep, a.Next = r.t*r.h, r.t*r.gates*r.h, r.ahead(-1)
	clear(a.Sum)
	copy(k.dh, k.state(r.dLast, 1))
	return k
}

// to tells the cell's kernel about the i-th time, at which the gradients of all states are added; it returns the time.
func (k *walkBack) to(b *Backend, i int) (t int) {
	t = k.time(i)
	k.a.Copy, k.a.Sequence = k.from(k.r.dGates, k.gates, t), k.from(k.r.dH, 1, t)
	if k.mask != nil {
		k.addSequence(b, t)
		k.a.Sequence = nil
	}
	k.a.DH = k.valid(k.dh, k.spare, t)
	return t
}

// addSequence adds the gradients of all states at time t, for the examples that the mask hides too.
func (k *walkBack) addSequence(b *Backend, t int) {
	if k.a.Sequence == nil {
		return
	}
	for i := range k.rows {
		dh := k.dh[i*k.h : (i+1)*k.h]
		b.vec.Add(dh, dh, k.a.Sequence[i*k.a.SequenceStep:][:k.h])
	}
}

// done ends time t, after the kernel: what is left for the states before are products of the gates' gradients.
func (k *walkBack) done(t int) {
	k.products.run(&k.examples, k.next, k.a.Gates)
	k.keepMasked(k.next, k.dh, t)
	k.dh, k.next = k.next, k.dh
}

// finish ends the task.
func (k *walkBack) finish() {
	copy(k.state(k.r.dSum, k.r.sums), k.a.Sum)
	copy(k.state(k.r.dH0, 1), k.dh)
}
