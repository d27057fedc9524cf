package cpu

import (
	"aetrain/graph"
	"aetrain/op"
)

// bindTranspose reorders axes. Neighbours that stay together count as one axis; where only the last two of what remains change
// places, matrices are transposed block by block, otherwise elements are fetched by strides.
func bindTranspose(b *binder, s *step) error {
	shape, perm := s.Case.In[0].Shape, s.Op.(op.TransposeOp).Perm
	if batch, rows, cols, ok := matrices(shape, perm); ok && s.in[0].f32 != nil {
		transposeMatrices(b, s, batch, rows, cols)
		return nil
	}
	strides, step := make([]int, len(shape)), 1
	for i := len(shape) - 1; i >= 0; i-- {
		strides[i] = step
		step *= shape[i]
	}
	of := make([]int, len(perm))
	for i, a := range perm {
		of[i] = strides[a]
	}
	b.strided(s, of)
	return nil
}

// matrices reports whether the order of axes is that of a batch of rows×cols matrices being transposed.
func matrices(shape graph.Shape, perm []int) (batch, rows, cols int, ok bool) {
	lead := 0
	for lead < len(perm) && perm[lead] == lead {
		lead++
	}
	batch = shape[:lead].Size()
	if lead == len(perm) {
		return 0, 0, 0, false
	}
	first := perm[lead] // this axis and all behind it come first now, then those in between
	for i := lead; i < len(perm); i++ {
		want := first + i - lead
		if want >= len(shape) {
			want -= len(shape) - lead
		}
		if perm[i] != want {
			return 0, 0, 0, false
		}
	}
	return batch, shape[lead:first].Size(), shape[first:].Size(), true
}

// transposeMatrices gives each task some columns of a matrix, which are rows of the result, or some whole matrices.
func transposeMatrices(b *binder, s *step, batch, rows, cols int) {
	src, dst, size, transpose := s.in[0].f32, s.out[0].f32, rows*cols, b.b.vec.Transpose2D
	if size <= taskSize {
		b.items(batch, size, func(_ *worker, from, to int) {
			for i := from; i < to; i++ {
				transpose(dst[i*size:(i+1)*size], src[i*size:(i+1)*size], rows, cols, rows, cols)
			}
		}).separate()
		return
	}
	per := max(16, taskSize/rows/16*16)
	tasks := (cols + per - 1) / per
	b.phase(batch*tasks, func(_ *worker, task int) {
		at, from := task/tasks*size, task%tasks*per
		n := min(per, cols-from)
		transpose(dst[at+from*rows:at+(from+n)*rows], src[at+from:at+size], rows, n, rows, cols)
	})
}
