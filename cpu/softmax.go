package cpu

import (
	"math"

	"aetrain/op"
)

// bindSoftmax computes exp(x - max)/Σ row by row, each row while it is in cache.
func bindSoftmax(b *binder, s *step) error {
	v := b.b.vec
	return bindRows(b, s, func(y, x []float32) { v.Softmax(y, x, 1) })
}

// bindLogSoftmax computes x - max - log Σ exp(x - max) row by row; the exponentials go to the result's row first.
func bindLogSoftmax(b *binder, s *step) error {
	v := b.b.vec
	return bindRows(b, s, func(y, x []float32) {
		top := v.MaxReduce(x)
		v.AddS(y, x, -top)
		v.Exp(y, y)
		total := float32(math.Log(float64(v.Sum(y))))
		v.AddS(y, x, -top)
		v.AddS(y, y, -total)
	})
}

// bindRows calls f for each row along the last axis.
func bindRows(b *binder, s *step, f func(y, x []float32)) error {
	shape := s.Case.Out[0].Shape
	n, x, y := shape[len(shape)-1], s.in[0].f32, s.out[0].f32
	if len(y) == 0 {
		return nil
	}
	b.items(len(y)/n, 4*n, func(_ *worker, from, to int) {
		for r := from; r < to; r++ {
			f(y[r*n:(r+1)*n], x[r*n:(r+1)*n])
		}
	}).separate()
	return nil
}

// bindLogSumExp folds an axis: rows where it is the last one, otherwise pieces of what lies behind it, side by side.
func bindLogSumExp(b *binder, s *step) error {
	shape, axis := s.Case.In[0].Shape, s.Op.(op.LogSumExpOp).Axis
	n, inner := shape[axis], shape[axis+1:].Size()
	x, y, v := s.in[0].f32, s.out[0].f32, b.b.vec
	if inner == 1 {
		b.scratch(n)
		b.items(len(y), 4*n, func(w *worker, from, to int) {
			for r := from; r < to; r++ {
				y[r] = logSumExp(b, w.local[:n], x[r*n:(r+1)*n])
			}
		}).separate()
		return nil
	}
	const width = blockSize
	pieces := (inner + width - 1) / width
	b.scratch(2 * width)
	b.items(shape[:axis].Size()*pieces, 4*n*min(inner, width), func(w *worker, from, to int) {
		for i := from; i < to; i++ {
			at := i % pieces * width
			m := min(width, inner-at)
			src, dst := x[i/pieces*n*inner+at:], y[i/pieces*inner+at:][:m]
			top, t := w.local[:m], w.local[width:width+m]
			copy(top, src)
			for k := 1; k < n; k++ {
				v.Max(top, top, src[k*inner:k*inner+m])
			}
			clear(dst)
			for k := range n {
				v.Sub(t, src[k*inner:k*inner+m], top)
				v.Exp(t, t)
				v.Add(dst, dst, t)
			}
			v.Log(dst, dst)
			v.Add(dst, dst, top)
			for j, a := range top {
				if math.IsInf(float64(a), 0) {
					dst[j] = a
				}
			}
		}
	})
	return nil
}

// logSumExp is that of one row; t is scratch of its length.
func logSumExp(b *binder, t, x []float32) float32 {
	v := b.b.vec
	top := v.MaxReduce(x)
	if math.IsInf(float64(top), 0) {
		return top
	}
	v.AddS(t, x, -top)
	v.Exp(t, t)
	return top + float32(math.Log(float64(v.Sum(t))))
}
