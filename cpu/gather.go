package cpu

import "aetrain/op"

// clampIndex is the row that index i means: the nearest one where i is out of range.
func clampIndex(i int32, rows int) int { return max(0, min(int(i), rows-1)) }

// bindGather copies rows.
func bindGather(b *binder, s *step) error {
	x := s.Case.In[0].Shape
	rows, n, src, dst, index := x[0], x[1:].Size(), s.in[0], s.out[0], s.in[1].i32
	if n == 0 {
		return nil
	}
	b.items(len(index), n, func(_ *worker, from, to int) {
		for i := from; i < to; i++ {
			copyRange(dst, i*n, src, clampIndex(index[i], rows)*n, n)
		}
	})
	return nil
}

// bindScatterAdd adds rows to where they belong: one task sorts the positions of index by the row they mean, keeping their order,
// then each task owns some rows of the result.
func bindScatterAdd(b *binder, s *step) error {
	rows, index, src, dst := s.Op.(op.ScatterRows).Rows, s.in[0].i32, s.in[1].f32, s.out[0].f32
	n := s.Case.Out[0].Shape[1:].Size()
	if n == 0 {
		return nil
	}
	ends, order := make([]int32, rows+1), make([]int32, len(index)) // positions that mean row r: order[ends[r-1]:ends[r]]
	b.phase(1, func(*worker, int) { countingSort(order, ends, index) })
	add := b.b.vec.Add
	b.items(rows, n*(1+len(index)/rows), func(_ *worker, from, to int) {
		for r := from; r < to; r++ {
			d := dst[r*n : (r+1)*n]
			clear(d)
			for _, i := range order[ends[r]:ends[r+1]] {
				if n == 1 {
					d[0] += src[i]
					continue
				}
				add(d, d, src[int(i)*n:int(i+1)*n])
			}
		}
	})
	return nil
}

// countingSort lists the positions of index by the row they mean, in ascending order of both: those of row r are
// order[ends[r]:ends[r+1]].
func countingSort(order, ends, index []int32) {
	rows := len(ends) - 1
	clear(ends)
	for _, i := range index {
		ends[clampIndex(i, rows)]++
	}
	sum := int32(len(index))
	ends[rows] = sum
	for r := rows - 1; r >= 0; r-- {
		sum -= ends[r]
		ends[r] = sum + ends[r] // filled from behind
	}
	for p := len(index) - 1; p >= 0; p-- {
		r := clampIndex(index[p], rows)
		ends[r]--
		order[ends[r]] = int32(p)
	}
}

// bindOneHot writes zeros and a one in each row whose index is in range.
func bindOneHot(b *binder, s *step) error {
	classes, index, dst := s.Op.(op.OneHotRows).Classes, s.in[0].i32, s.out[0].f32
	b.items(len(index), classes, func(_ *worker, from, to int) {
		clear(dst[from*classes : to*classes])
		for i := from; i < to; i++ {
			if c := int(index[i]); c >= 0 && c < classes {
				dst[i*classes+c] = 1
			}
		}
	})
	return nil
}
