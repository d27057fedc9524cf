package cpu

import (
	"aetrain/cpu/gemm"
	"aetrain/cpu/vec"
	"aetrain/op"
)

// recurrentForward is what all recurrent ops have on their way through time.
type recurrentForward struct {
	recurrence
	times  int       // that have an input of their own: T, or 1 where it is the same at all times
	input  []float32 // the input's part of the gates, N×times×GH
	bias   []float32 // GH; of a GRU 4H
	h0     []float32 // N×H
	last   []float32 // N×H
	hs     []float32 // all states, N×T×H; nil, as all results: nobody wants it
	before []float32 // the states before each time, N×T×H
}

// recurrentForward reads the operands that all have one place for and reserves the products of a time: inputs are the gates' parts of
// the input, the weight GH×H, the bias and as many first states as the cell has (one, or of an LSTM two), N×H each, then a mask;
// outputs are as many last states, all states, and those before each time.
func (b *binder) recurrentForward(s *step, o op.Recurrence, gates, states int) *recurrentForward {
	input, n := s.Case.In[0].Shape, s.Case.Out[states].Shape
	f := &recurrentForward{
		recurrence: newRecurrence([]int{n[0], n[1], input[2]}, gates, o.Reverse), times: input[1],
		input: s.in[0].f32, bias: s.in[2].f32, h0: s.in[3].f32,
		last: s.out[0].f32, hs: s.out[states].f32, before: s.out[states+1].f32,
	}
	f.masked(s.in[3+states:])
	f.products = b.recurrentProducts(&f.recurrence, s.in[1].f32, gemm.Shape{N: gates * f.h, K: f.h, TransB: true})
	return f
}

// scratch is how many floats a worker needs, with some blocks of examples×H of the cell's own.
func (f *recurrentForward) scratch(own int) int { return f.recurrence.scratch(2 + f.gates + own) }

// recurrentWalk is a task's way through time.
type recurrentWalk struct {
	recurrentExamples
	f   *recurrentForward
	a   *vec.RecurrentArgs
	now []float32 // the states it has come to, examples×H
}

// start begins a task at the first states.
func (f *recurrentForward) start(w *worker, task int, a *vec.RecurrentArgs) recurrentWalk {
	k := recurrentWalk{recurrentExamples: f.examples(w, task), f: f, a: a}
	k.now, a.H1, a.Products = k.cut(1), k.cut(1), k.cut(f.gates)
	a.Rows, a.H, a.Bias = k.rows, f.h, f.bias
	a.InputStep, a.CopyStep, a.Next = f.times*f.gates*f.h, f.t*f.h, vec.Next{}
	if f.times > 1 {
		a.Next = f.ahead(1)
	}
	copy(k.now, k.state(f.h0, 1))
	k.put(f.before, k.now, f.time(0))
	return k
}

// to computes the products of the i-th time and tells the cell's kernel where the rest is; it returns the time.
func (k *recurrentWalk) to(i int) (t int) {
	t = k.time(i)
	k.products.run(&k.recurrentExamples, k.a.Products, k.now)
	k.a.Input = k.input(t)
	k.a.Copies = [2][]float32{k.from(k.f.hs, 1, t), nil}
	if i+1 < k.t {
		k.a.Copies[1] = k.from(k.f.before, 1, k.time(i+1))
	}
	return t
}

// input is the input's part of all gates from time t of the first example on.
func (k *recurrentWalk) input(t int) []float32 {
	if k.f.times == 1 {
		t = 0
	}
	return k.f.input[(k.n0*k.f.times+t)*k.gates*k.h:]
}

// done ends the i-th time, after the kernel: the examples that the mask hides have the states they had before.
func (k *recurrentWalk) done(i int) {
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
func (k *recurrentWalk) finish() { copy(k.state(k.f.last, 1), k.now) }
