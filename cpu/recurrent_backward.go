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
func (r *backward) scratch(own int) int { return r.recurrence.scratch(2 + r.gates + 2*r.sums + own) }

// walkBack is a task's way back. The kernel computes what the mask hides, too, from whatever is stored there; then that is undone.
type walkBack struct {
	examples
	r        *backward
	a        *vec.RecurrentGradArgs
	dh, next []float32 // gradients of the states it has come to, and of those before
	sum      []float32 // what is hidden of a.Sum, as it was before the kernel
}

// start begins a task at the last states.
func (r *backward) start(w *worker, task int, a *vec.RecurrentGradArgs) walkBack {
	k := walkBack{examples: r.examples(w, task), r: r, a: a}
	k.dh, k.next, a.Gates, a.Sum, k.sum = k.cut(1), k.cut(1), k.cut(r.gates), k.cut(r.sums), k.cut(r.sums)
	a.Rows, a.H = k.rows, r.h
	a.SequenceStep, a.CopyStep, a.Next = r.t*r.h, r.t*r.gates*r.h, r.ahead(-1)
	clear(a.Sum)
	copy(k.dh, k.state(r.dLast, 1))
	return k
}

// to tells the cell's kernel about the i-th time, at which the gradients of all states are added; it returns the time.
func (k *walkBack) to(i int) (t int) {
	t = k.time(i)
	k.a.DH, k.a.Sequence, k.a.Copy = k.dh, k.from(k.r.dH, 1, t), k.from(k.r.dGates, k.gates, t)
	k.keepMasked(k.sum, k.a.Sum, k.r.sums, t)
	return t
}

// done ends time t, after the kernel: what is left for the states before are products of the gates' gradients.
func (k *walkBack) done(t int) {
	k.products.run(&k.examples, k.next, k.a.Gates)
	k.keepMasked(k.next, k.dh, 1, t)
	k.keepMasked(k.a.Sum, k.sum, k.r.sums, t)
	k.clearMasked(k.a.Copy, t)
	k.dh, k.next = k.next, k.dh
}

// clearMasked clears the gates' gradients that the mask hides at time t, in rows as a.Copy has; nil: there are none.
func (k *walkBack) clearMasked(gates []float32, t int) {
	if k.mask == nil || gates == nil {
		return
	}
	for i := range k.rows {
		if k.hidden(i, t) {
			clear(gates[i*k.a.CopyStep:][:k.gates*k.h])
		}
	}
}

// finish ends the task.
func (k *walkBack) finish() {
	copy(k.state(k.r.dSum, k.r.sums), k.a.Sum)
	copy(k.state(k.r.dH0, 1), k.dh)
}
