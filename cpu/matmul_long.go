package cpu

import (
	"aetrain/cpu/gemm"
	"aetrain/op"
)

// Gradients of weights that many rows share (a recurrent layer's, over all times) are sums of thousands of steps for a few thousand
// elements. Tasks that own elements would each walk through all of both operands; here each owns a range of steps, whose rows come
// from memory once, and sums of its own. These are added up in the order of the ranges.

const (
	longSteps    = 2048    // of K, from which on it is cut
	longElements = 1 << 15 // of the result, at most
	stepsPerPart = 384     // at least
	longParts    = 16      // at most
)

// longProduct reports whether a product is cut along K.
func longProduct(o op.Product, m, n, k int) bool {
	return o.TransA && !o.TransB && k >= longSteps && m*n <= longElements
}

// bindLong appends the products of each range of K, and the sum of them with what follows.
func bindLong(b *binder, s *step, m, n, k int) {
	parts := min(longParts, k/stepsPerPart)
	size := m * n
	sums := alloc(parts * size)
	b.parts(parts, s.in[0].f32, s.in[1].f32, sums, m, n, k)
	v, out := b.b.vec, s.out[0].f32
	b.items(size, 4*parts, func(w *worker, from, to int) {
		v.Add(out[from:to], sums[from:to], sums[size+from:size+to])
		for i := 2; i < parts; i++ {
			v.Add(out[from:to], out[from:to], sums[i*size+from:i*size+to])
		}
		if s.chain != nil {
			s.chain.run(w, from, to-from)
		}
	})
}

// parts appends a phase that writes the sums of each range of K. With a single row or column they are the other operand's rows, each
// times a number.
func (b *binder) parts(parts int, A, B, sums []float32, m, n, k int) {
	size := m * n
	if m == 1 || n == 1 {
		numbers, rows, axpy := A, B, b.b.vec.AXPY
		if n == 1 {
			numbers, rows = B, A
		}
		b.phase(parts, func(_ *worker, task int) {
			sum := sums[task*size : (task+1)*size]
			clear(sum)
			for i := task * k / parts; i < (task+1)*k/parts; i++ {
				axpy(sum, rows[i*size:(i+1)*size], numbers[i])
			}
		})
		return
	}
	plans := make([]*gemm.Plan, parts)
	for i := range plans {
		shape := gemm.Shape{M: m, N: n, K: (i+1)*k/parts - i*k/parts, TransA: true}
		plans[i] = gemm.NewPlan(b.b.tier, shape, gemm.Options{Serial: true})
		b.scratch(plans[i].LocalFloats())
	}
	calls := make([]gemm.Call, b.b.workers.count())
	b.phase(parts, func(w *worker, task int) {
		c, from := &calls[w.id], task*k/parts
		c.A, c.B, c.C, c.Local = A[from*m:], B[from*n:], sums[task*size:(task+1)*size], w.local
		plans[task].Do(0, c)
	})
}
