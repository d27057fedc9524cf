package cpu

import (
	"aetrain/cpu/gemm"
	"aetrain/cpu/vec"
)

// recurrentBackward is what the gradients of all recurrent ops have on their way back through time. Whoever binds one fills in what
// the op has, calls optional for the last inputs, then reserve.
type recurrentBackward struct {
	recurrence
	sums   int       // blocks of a row of dSum: as many as gates, or more
	around bool      // states also go around the gates: products are added to what came that way
	dLast  []float32 // gradient of the last states, N×H
	dH     []float32 // of all states, N×T×H; nil: none
	dGates []float32 // of the state's part of the gates, N×T×GH; nil, as all results: nobody wants it
	dSum   []float32 // the sum over time of the biases', N×sums·H
	dH0    []float32 // of the first states, N×H
}

// optional reads the inputs behind an op's own: dH where there is a sequence, and a mask.
func (r *recurrentBackward) optional(in []memory, sequence bool) {
	if sequence {
		r.dH, in = in[0].f32, in[1:]
	}
	r.masked(in)
}

// reserve reserves the products of a time with weight, GH×H, and scratch with some blocks of examples×H of the cell's own.
func (r *recurrentBackward) reserve(b *binder, weight []float32, own int) {
	r.products = b.recurrentProducts(&r.recurrence, weight, gemm.Shape{N: r.h, K: r.gates * r.h, Accumulate: r.around})
	b.scratch(r.scratch(2 + r.gates + 2*r.sums + own))
}

// recurrentWalkBack is a task's way back. The kernel computes what the mask hides, too, from whatever is stored there; then that is
// undone.
type recurrentWalkBack struct {
	recurrentExamples
	r            *recurrentBackward
	a            *vec.RecurrentGradArgs
	dh, dhBefore []float32 // gradients of the states it has come to, and of those before, examples×H
	sum          []float32 // what is hidden of a.Sum, as it was before the kernel, examples×sums·H
}

// start begins a task at the last states.
func (r *recurrentBackward) start(w *worker, task int, a *vec.RecurrentGradArgs) recurrentWalkBack {
	k := recurrentWalkBack{recurrentExamples: r.examples(w, task), r: r, a: a}
	k.dh, k.dhBefore, a.Gates, a.Sum, k.sum = k.cut(1), k.cut(1), k.cut(r.gates), k.cut(r.sums), k.cut(r.sums)
	a.Rows, a.H = k.rows, r.h
	a.SequenceStep, a.CopyStep, a.Next = r.t*r.h, r.t*r.gates*r.h, r.ahead(-1)
	clear(a.Sum)
	copy(k.dh, k.state(r.dLast, 1))
	return k
}

// to tells the cell's kernel about the i-th time, at which the gradients of all states are added; it returns the time.
func (k *recurrentWalkBack) to(i int) (t int) {
	t = k.time(i)
	k.a.DH, k.a.Sequence, k.a.Copy = k.dh, k.from(k.r.dH, 1, t), k.from(k.r.dGates, k.gates, t)
	k.keepMasked(k.sum, k.a.Sum, k.r.sums, t)
	return t
}

// done ends time t, after the kernel: what is left for the states before are products of the gates' gradients.
func (k *recurrentWalkBack) done(t int) {
	k.products.run(&k.recurrentExamples, k.dhBefore, k.a.Gates)
	k.keepMasked(k.dhBefore, k.dh, 1, t)
	k.keepMasked(k.a.Sum, k.sum, k.r.sums, t)
	k.clearMasked(k.a.Copy, t)
	k.dh, k.dhBefore = k.dhBefore, k.dh
}

// clearMasked clears the gates' gradients that the mask hides at time t, in rows as a.Copy has; nil: there are none.
func (k *recurrentWalkBack) clearMasked(gates []float32, t int) {
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
func (k *recurrentWalkBack) finish() {
	copy(k.state(k.r.dSum, k.r.sums), k.a.Sum)
	copy(k.state(k.r.dH0, 1), k.dh)
}
