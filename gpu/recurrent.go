//go:build gpu

package gpu

import (
	"aetrain/kernels"
	"aetrain/op"
)

// recurrence is the shape of a recurrent op's launch: a block takes one example, or four of many, through all times.
type recurrence struct {
	n, t, h       int
	gates         int // rows of the recurrent weight by H
	reverse, same bool
	values        int  // floats that a block holds for each unit
	back          bool // parts of a product are held too
}

const (
	recurrentThreads = 1024 // of a block at most
	recurrentRows    = 4    // examples of a block where examples are many
	recurrentParts   = 8    // of the product on the way back, at most
)

// threads is one a gate, in whole warps.
func (r recurrence) threads() int { return min(recurrentThreads, blocks(r.gates*r.h, 32)*32) }

// parts is how many threads share a sum on the way back.
func (r recurrence) parts() int {
	if !r.back {
		return 0
	}
	return max(1, min(recurrentParts, r.threads()/r.h))
}

// ld is the distance of the weight's rows in shared memory: an odd number of floats, or of quads of floats.
func (r recurrence) ld() int {
	if r.h%4 == 0 {
		return (r.h/4 | 1) * 4
	}
	return r.h | 1
}

// shared is the bytes that a block of this many examples needs besides the weight, and the weight's.
func (r recurrence) shared(rows int) (states, weight int) {
	return 4 * (r.values + r.parts()) * rows * r.h, 4 * r.gates * r.h * r.ld()
}

// launch appends the kernel, or NAME_rows, with args and then the struct.
func (r recurrence) launch(b *binder, name string, args ...any) error {
	if err := size32(name, r.t*4*r.n*r.h); err != nil {
		return err
	}
	rows, limit := 1, b.dev.info.SharedPerBlockOptin
	if states, _ := r.shared(recurrentRows); r.n > 2*b.dev.info.SMs && states <= limit {
		rows, name = recurrentRows, name+"_rows"
	}
	shared, weight := r.shared(rows)
	ld := 0
	if shared+weight <= limit {
		shared, ld = shared+weight, r.ld()
	}
	flag := func(is bool) int32 {
		if is {
			return 1
		}
		return 0
	}
	args = append(args, []int32{int32(r.n), int32(r.t), int32(r.h), flag(r.reverse), flag(r.same), int32(ld), int32(r.parts())})
	b.kernel(name, line(blocks(r.n, rows)), line(r.threads()), shared, args...)
	return nil
}

// recurrentFits wants the states of one example to fit into a block's memory. The units are the last axis of every op's first output,
// or a gate's part of it.
func (d *device) recurrentFits(c kernels.Case) bool {
	shape := c.Out[0].Shape
	r := recurrence{h: shape[len(shape)-1], gates: 1, values: 10, back: true}
	switch c.Op.(type) {
	case op.LSTMGrad:
		r.h /= 4
	case op.GRUGrad:
		r.h /= 3
	}
	states, _ := r.shared(1)
	return states+4*(recurrentParts-1)*r.h <= d.info.SharedPerBlockOptin
}

// rest is the input behind the fixed ones, or a null pointer, and what follows.
func rest(in []memory, there bool) (any, []memory) {
	if !there || len(in) == 0 {
		return nilMemory{}, in
	}
	return in[0], in[1:]
}

// bindLSTM walks over the sequence in one launch.
func bindLSTM(b *binder, s *step) error {
	o, shape := s.Op.(op.LSTMSequence), s.Case.Out[2].Shape
	mask, _ := rest(s.in[5:], true)
	r := recurrence{n: shape[0], t: shape[1], h: shape[2], gates: 4, reverse: o.Reverse, same: o.Steps > 0, values: 6}
	return r.launch(b, "lstm", s.in[0], s.in[1], s.in[2], s.in[3], s.in[4], mask, s.out[0], s.out[1], s.out[2], s.out[3], s.out[4], s.out[5])
}

// bindLSTMGrad walks back over the sequence in one launch.
func bindLSTMGrad(b *binder, s *step) error {
	o, shape := s.Op.(op.LSTMGrad), s.Case.Out[0].Shape
	dH, others := rest(s.in[6:], o.Sequence)
	mask, _ := rest(others, true)
	r := recurrence{n: shape[0], t: shape[1], h: shape[2] / 4, gates: 4, reverse: o.Reverse, values: 10, back: true}
	return r.launch(b, "lstm_grad", s.in[0], s.in[1], s.in[2], s.in[3], s.in[4], s.in[5], dH, mask, s.out[0], s.out[1], s.out[2], s.out[3])
}

// bindGRU walks over the sequence in one launch.
func bindGRU(b *binder, s *step) error {
	o, shape := s.Op.(op.GRUSequence), s.Case.Out[1].Shape
	mask, _ := rest(s.in[4:], true)
	r := recurrence{n: shape[0], t: shape[1], h: shape[2], gates: 3, reverse: o.Reverse, same: o.Steps > 0, values: 4}
	return r.launch(b, "gru", s.in[0], s.in[1], s.in[2], s.in[3], mask, s.out[0], s.out[1], s.out[2], s.out[3])
}

// bindGRUGrad walks back over the sequence in one launch.
func bindGRUGrad(b *binder, s *step) error {
	o, shape := s.Op.(op.GRUGrad), s.Case.Out[0].Shape
	dH, others := rest(s.in[4:], o.Sequence)
	mask, _ := rest(others, true)
	r := recurrence{n: shape[0], t: shape[1], h: shape[2] / 3, gates: 3, reverse: o.Reverse, values: 8, back: true}
	return r.launch(b, "gru_grad", s.in[0], s.in[1], s.in[2], s.in[3], dH, mask, s.out[0], s.out[1], s.out[2], s.out[3])
}

// bindRNN walks over the sequence in one launch.
func bindRNN(b *binder, s *step) error {
	o, shape := s.Op.(op.RNNSequence), s.Case.Out[1].Shape
	mask, _ := rest(s.in[4:], true)
	r := recurrence{n: shape[0], t: shape[1], h: shape[2], gates: 1, reverse: o.Reverse, same: o.Steps > 0, values: 2}
	return r.launch(b, "rnn", s.in[0], s.in[1], s.in[2], s.in[3], mask, s.out[0], s.out[1], s.out[2])
}

// bindRNNGrad walks back over the sequence in one launch.
func bindRNNGrad(b *binder, s *step) error {
	o, shape := s.Op.(op.RNNGrad), s.Case.Out[0].Shape
	dH, others := rest(s.in[3:], o.Sequence)
	mask, _ := rest(others, true)
	r := recurrence{n: shape[0], t: shape[1], h: shape[2], gates: 1, reverse: o.Reverse, values: 3, back: true}
	return r.launch(b, "rnn_grad", s.in[0], s.in[1], s.in[2], dH, mask, s.out[0], s.out[1], s.out[2])
}
