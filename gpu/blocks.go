//go:build gpu

package gpu

import (
	"aetrain/graph"
	"aetrain/kernels"
	"aetrain/op"
)

// Concat, slice and pad move blocks: rows of n elements that lie some distance apart, from one value to another.

// countableCase says that operands and results can be indexed with 32 bits.
func countableCase(k kernels.Case) bool { return countable(k.In, k.Out) }

// unit is the widest element, of 16, 4 or 1 bytes, that divides all of these numbers of elements of d.
func unit(d graph.DType, sizes ...int) int {
	for _, u := range []int{16, 4} {
		whole := true
		for _, n := range sizes {
			whole = whole && n*d.Bytes()%u == 0
		}
		if whole {
			return u
		}
	}
	return 1
}

var unitSuffix = map[int]string{16: "_16", 4: "_4", 1: "_1"}

// moveRows copies rows of n elements from src, stride apart, to dst, pitch apart, beginning at these elements.
func (b *binder) moveRows(dst, src memory, rows, n, at, pitch, from, stride int) {
	if rows*n == 0 {
		return
	}
	u := unit(src.dtype, n, at, pitch, from, stride)
	in := func(n int) int { return n * src.dtype.Bytes() / u }
	grid, block := elements(in(rows * n))
	b.kernel("move_rows"+unitSuffix[u], grid, block, 0, src.at(from), dst.at(at), in(rows*n), divisor(in(n)), int64(in(stride)), int64(in(pitch)))
}

// bindConcat copies each operand to its place.
func bindConcat(b *binder, s *step) error {
	axis := s.Op.(op.Concatenation).Axis
	shape := s.Case.Out[0].Shape
	rows, pitch, at := shape[:axis].Size(), shape[axis:].Size(), 0
	for i, in := range s.Case.In {
		n := in.Shape[axis:].Size()
		b.moveRows(s.out[0], s.in[i], rows, n, at, pitch, 0, n)
		at += n
	}
	return nil
}

// bindSlice copies a part of an axis.
func bindSlice(b *binder, s *step) error {
	o, in := s.Op.(op.Part), s.Case.In[0].Shape
	inner := in[o.Axis+1:].Size()
	n := (o.To - o.From) * inner
	b.moveRows(s.out[0], s.in[0], in[:o.Axis].Size(), n, 0, n, o.From*inner, in[o.Axis]*inner)
	return nil
}

// bindPad copies the inside and fills both borders.
func bindPad(b *binder, s *step) error {
	o, in, out := s.Op.(op.Border), s.Case.In[0].Shape, s.Case.Out[0].Shape
	inner := in[o.Axis+1:].Size()
	dst := s.out[0]
	if dst.size == 0 {
		return nil
	}
	raw := make([]byte, 4)
	put(raw, dst.dtype, 0, o.Value)
	word := uint32(raw[0]) | uint32(raw[1])<<8 | uint32(raw[2])<<16 | uint32(raw[3])<<24
	grid, block := elements(dst.size)
	b.kernel("pad_rows"+unitSuffix[dst.dtype.Bytes()], grid, block, 0,
		s.in[0], dst, dst.size, divisor(out[o.Axis]*inner), o.Before*inner, in[o.Axis]*inner, word)
	return nil
}
