package cpu

import (
	"aetrain/op"
)

// Concat, slice and pad move blocks: rows of n elements that lie some distance apart, from one value to another.

// blocks is one such move; without a source it fills.
type blocks struct {
	src          memory
	from, stride int // of the source
	at, pitch    int // of the destination
	rows, n      int
	value        float64
}

// bindBlocks runs moves into output 0, in one phase.
func bindBlocks(b *binder, dst memory, moves []blocks) {
	type piece struct {
		m        *blocks
		from, to int // rows, or elements of the only row
	}
	var pieces []piece
	for i := range moves {
		m := &moves[i]
		if m.rows == 0 || m.n == 0 {
			continue
		}
		count, per := m.rows, max(1, taskSize/m.n)
		if m.rows == 1 {
			count, per = m.n, taskSize
		}
		for from := 0; from < count; from += per {
			pieces = append(pieces, piece{m, from, min(count, from+per)})
		}
	}
	b.phase(len(pieces), func(_ *worker, task int) {
		p := &pieces[task]
		m := p.m
		if m.rows == 1 {
			m.move(dst, m.at+p.from, m.from+p.from, p.to-p.from)
			return
		}
		for r := p.from; r < p.to; r++ {
			m.move(dst, m.at+r*m.pitch, m.from+r*m.stride, m.n)
		}
	})
}

func (m *blocks) move(dst memory, to, from, n int) {
	if m.src.size == 0 {
		fillRange(dst, to, n, m.value)
		return
	}
	copyRange(dst, to, m.src, from, n)
}

// bindConcat copies each operand to its place.
func bindConcat(b *binder, s *step) error {
	axis := s.Op.(op.Concatenation).Axis
	shape := s.Case.Out[0].Shape
	rows, pitch, at := shape[:axis].Size(), shape[axis:].Size(), 0
	var moves []blocks
	for i, in := range s.Case.In {
		n := in.Shape[axis:].Size()
		if n > 0 {
			moves = append(moves, blocks{src: s.in[i], stride: n, at: at, pitch: pitch, rows: rows, n: n})
		}
		at += n
	}
	bindBlocks(b, s.out[0], moves)
	return nil
}

// bindSlice copies a part of an axis.
func bindSlice(b *binder, s *step) error {
	o, in := s.Op.(op.Part), s.Case.In[0].Shape
	inner := in[o.Axis+1:].Size()
	n := (o.To - o.From) * inner
	bindBlocks(b, s.out[0], []blocks{{
		src: s.in[0], from: o.From * inner, stride: in[o.Axis] * inner, pitch: n, rows: in[:o.Axis].Size(), n: n,
	}})
	return nil
}

// bindPad copies the inside and fills both borders.
func bindPad(b *binder, s *step) error {
	o, in, out := s.Op.(op.Border), s.Case.In[0].Shape, s.Case.Out[0].Shape
	inner, rows := in[o.Axis+1:].Size(), in[:o.Axis].Size()
	pitch, n := out[o.Axis]*inner, in[o.Axis]*inner
	before, after := o.Before*inner, o.After*inner
	moves := []blocks{
		{pitch: pitch, rows: rows, n: before, value: o.Value},
		{at: before + n, pitch: pitch, rows: rows, n: after, value: o.Value},
	}
	if n > 0 {
		moves = append(moves, blocks{src: s.in[0], stride: n, at: before, pitch: pitch, rows: rows, n: n})
	}
	bindBlocks(b, s.out[0], moves)
	return nil
}
