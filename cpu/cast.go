package cpu

import (
	"math"

	"aetrain/graph"
)

// cast converts between float32 and the integer types.
func (k *compiler) cast(dst, src *slot, to graph.DType) instr {
	v := k.b.b.vec
	switch {
	case src.place == wide && src.mem.dtype == graph.Int32 && dst.place != wide:
		return func(w *worker, off, n int) { v.Int32ToFloat32(dst.at(w, off, n), src.mem.i32[off:off+n]) }
	case src.place == wide && src.mem.dtype == graph.Uint8 && dst.place != wide:
		return func(w *worker, off, n int) { v.Uint8ToFloat32(dst.at(w, off, n), src.mem.u8[off:off+n], 1) }
	case src.place == scalar && dst.place != wide:
		return func(w *worker, off, n int) { v.Fill(dst.at(w, off, n), src.number()) }
	case (src.place == dense || src.place == block) && dst.place != wide:
		return func(w *worker, off, n int) { copy(dst.at(w, off, n), src.at(w, off, n)) }
	case (src.place == dense || src.place == block) && to == graph.Int32:
		return func(w *worker, off, n int) { v.Float32ToInt32(dst.mem.i32[off:off+n], src.at(w, off, n)) }
	}
	return func(w *worker, off, n int) {
		for i := range n {
			dst.mem.set(off+i, truncated(src.element(w, off, n, i), to))
		}
	}
}

// element is element off+i of a slot of any kind, as a number.
func (s *slot) element(w *worker, off, n, i int) float64 {
	switch s.place {
	case scalar:
		return s.mem.at(0)
	case wide:
		return s.mem.at(off + i)
	}
	return float64(s.at(w, off, n)[i])
}

// truncated rounds x towards 0; what an int32 cannot hold becomes -2^31, what a uint8 cannot the nearest, NaN 0.
func truncated(x float64, to graph.DType) float64 {
	if to == graph.Uint8 {
		if x > 0 {
			return math.Min(math.Trunc(x), 255)
		}
		return 0
	}
	if x = math.Trunc(x); x >= math.MinInt32 && x <= math.MaxInt32 {
		return x
	}
	return math.MinInt32
}
