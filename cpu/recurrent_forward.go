package cpu

import (
	"aetrain/cpu/gemm"
	"aetrain/cpu/vec"
	"aetrain/op"
)

// forward is what all recurrent ops have on their way through time: the gates' inputs N×T×GH, the weight GH×H, the biases and the
// first states come first among their inputs, then the first cells of an LSTM and a mask; among the results are the last states, the
// last cells, and then all states and those before each time, N×T×H.
type forward struct {
	recurrence
	input, bias, h0  []float32
	times            int // that have inputs of their own: T, or 1 where they are the same at all times
	last, hs, before []float32
}

// forward reserves the products of a step with some gates and states: one, or two with the cell.
func (b *binder) forward(s *step, o op.Recurrence, gates, states int) *forward {
	shape := s.Case.Out[states].Shape
	f := &forward{
		recurrence: newRecurrence(shape[0], shape[1], shape[2], gates, o.Reverse, s.in[3+states:]),
		input:      s.in[0].f32, bias: s.in[2].f32, h0: s.in[3].f32, times: shape[1],
		last: s.out[0].f32, hs: s.out[states].f32, before: s.out[states+1].f32,
	}
	if o.Steps > 0 {
		f.times = 1
	}
	f.products = b.recurrentProducts(&f.recurrence, s.in[1].f32, gemm.Shape{N: gates * f.h, K: f.h, TransB: true})
	return f
}

// scratch is how many floats a worker needs, with some blocks of the cell's own.
func (f *forward) scratch(own int) int { return f.recurrence.scratch(2 + f.gates + own) }

// walk is a task's way through time.
type walk struct {
	examples
	f   *forward
	a   *vec.RecurrentArgs
	now []float32 // the states it has come to
}

// start begins a task at the first states.
func (f *forward) start(w *worker, task int, a *vec.RecurrentArgs) walk {
	k := walk{examples: f.examples(w, task), f: f, a: a}
	k.now, a.H1, a.Products = k.cut(1), k.cut(1), k.cut(f.gates)
	a.Rows, a.H, a.Bias = k.rows, f.h, f.bias
	a.InputStep, a.CopyStep, a.Next = f.times*f.gates*f.h, f.t*f.h, f.ahead(1)
	copy(k.now, k.state(f.h0, 1))
	k.put(f.before, k.now, f.time(0))
	return k
}

// next computes the products of the i-th time and tells the cell's kernel where the rest is; it returns the time.
func (k *walk) next(i int) (t int) {
	t = k.time(i)
	k.products.run(&k.examples, k.a.Products, k.now)
	k.a.Input = k.input(i)
	k.a.Copies = [2][]float32{k.from(k.f.hs, 1, t), nil}
	if i+1 < k.t {
		k.a.Copies[1] = k.from(k.f.before, 1, k.time(i+1))
	}
	return t
}

// input is the input's part of all gates from the i-th time of the first example on.
func (k *walk) input(i int) []float32 {
	t := k.time(i)
	if k.f.times == 1 {
		t = 0
	}
	return k.f.input[(k.n0*k.f.times+t)*k.gates*k.h:]
}

// done ends the i-th time, after the kernel: the examples that the mask hides have the states they had before.
func (k *walk) done(i int) {
	if t := k.time(i); k.mask != nil {
		k.keepMasked(k.a.H1, k.now, 1, t)
		k.put(k.f.hs, k.a.H1, t)
		if i+1 < k.t {
			k.put(k.f.before, k.a.H1, k.time(i+1))
		}
	}
	k.now, k.a.H1 = k.a.H1, k.now
}

// finish ends the task.
func (k *walk) finish() { copy(k.state(k.f.last, 1), k.now) }
