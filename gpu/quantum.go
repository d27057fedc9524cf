//go:build gpu

package gpu

import (
	"strings"

	"aetrain/op"
)

// bindRotation turns a qubit, a thread a pair of amplitudes.
func bindRotation(b *binder, s *step) error {
	o, shape := s.Op.(op.Rotation), s.Case.In[0].Shape
	pairs := shape[0] * shape[2] / 2
	if pairs == 0 {
		return nil
	}
	grid, block := elements(pairs)
	b.kernel("rotation", grid, block, 0, s.in[0], s.in[1], s.out[0], pairs,
		log2(shape[2]/2), log2(op.QubitStride(shape, o.Qubit)), strings.Index("xyz", o.Axis), s.in[1].size)
	return nil
}

// bindControlled moves or turns the amplitudes of a set control.
func bindControlled(b *binder, s *step) error {
	o, shape := s.Op.(op.Controlled), s.Case.In[0].Shape
	if s.out[0].size == 0 {
		return nil
	}
	sign := 0
	if o.Gate == "z" {
		sign = 1
	}
	grid, block := elements(s.out[0].size)
	b.kernel("controlled", grid, block, 0, s.in[0], s.out[0], s.out[0].size, op.QubitStride(shape, o.Control), op.QubitStride(shape, o.Target), sign)
	return nil
}
