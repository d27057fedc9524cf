package cpu

import "aetrain/op"

// bindTranspose reorders axes. Neighbours that stay together count as one axis; where only the last two of what remains change
// places, matrices are transposed block by block, otherwise elements are fetched by strides.
func bindTranspose(b *binder, s *step) error {
	o, x := s.Op.(op.TransposeOp), s.Case.In[0].Shape
	if batch, rows, cols, ok := o.Matrices(x); ok && s.in[0].f32 != nil {
		transposeMatrices(b, s, batch, rows, cols)
		return nil
	}
	b.strided(s, o.Strides(x))
	return nil
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
