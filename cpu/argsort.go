package cpu

import (
	"math"
	"slices"

	"aetrain/graph"
)

// bindArgSort sorts each row's keys: an element's order in the upper half, its position in the lower, so that equal elements
// keep their order and nothing but integers is compared.
func bindArgSort(b *binder, s *step) error {
	shape := s.Case.In[0].Shape
	n, x, dst := shape[len(shape)-1], s.in[0], s.out[0].i32
	if x.size == 0 {
		return nil
	}
	keys := forEachWorker(b, func(*worker) []uint64 { return make([]uint64, n) })
	b.items(x.size/n, 16*n, func(w *worker, from, to int) {
		for r := from; r < to; r++ {
			key := keys[w.id]
			for i := range key {
				key[i] = uint64(sortable(x, r*n+i))<<32 | uint64(uint32(i))
			}
			slices.Sort(key)
			for i, k := range key {
				dst[r*n+i] = int32(uint32(k))
			}
		}
	})
	return nil
}

// sortable maps element i to an unsigned number of the same order; NaN comes last.
func sortable(x memory, i int) uint32 {
	switch x.dtype {
	case graph.Int32:
		return uint32(x.i32[i]) ^ 1<<31
	case graph.Uint8:
		return uint32(x.u8[i])
	}
	v := x.f32[i]
	if v != v {
		return math.MaxUint32
	}
	bits := math.Float32bits(v + 0) // -0 + 0 is 0: they are equal
	if bits>>31 != 0 {
		return ^bits
	}
	return bits | 1<<31
}
