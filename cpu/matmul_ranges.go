package cpu

import (
	"aetrain/cpu/gemm"
	"aetrain/op"
)

// Products that are cut along K: each task owns a range of steps, and sums of its own, which are added up in the order of the ranges.
//
// Gradients of weights that many rows share (a recurrent layer's, over all times) are sums of thousands of steps for a few thousand
// elements. Tasks that own elements would each walk through all of both operands; here their rows come from memory once.
//
// A projection to a few columns takes a matrix whose columns other tasks have just computed, each core its own: tasks that own rows
// would fetch half of it from the other core, those that own steps find theirs in their own cache.

const (
	longSteps    = 2048    // of K, from which on any small result is cut
	longElements = 1 << 15 // of the result, at most
	stepsPerPart = 384     // at least
	longParts    = 16      // at most

	narrowColumns      = 32 // at most
	narrowRows         = 32 // at least: of fewer, a task is too short
	narrowElements     = 1 << 13
	narrowStepsPerPart = 96
)

// cutAlongK is how many ranges the steps of a product are cut into; 0: they are not.
func cutAlongK(o op.Product, m, n, k int) int {
	switch {
	case o.TransA && !o.TransB && k >= longSteps && m*n <= longElements:
		return min(longParts, k/stepsPerPart)
	case !o.TransA && n > 1 && n <= narrowColumns && m >= narrowRows && m*n <= narrowElements && k >= 2*narrowStepsPerPart:
		return min(longParts, k/narrowStepsPerPart)
	}
	return 0
}

// bindRanges appends the products of each range of K, and the sum of them with what follows.
func bindRanges(b *binder, s *step, o op.Product, m, n, k, parts int) {
	A, B, size := s.in[0].f32, s.in[1].f32, m*n
	sums := alloc(parts * size)
	switch {
	case o.TransA && (m == 1 || n == 1):
		b.weightedRows(A, B, sums, m, n, k, parts)
	case o.TransA && m >= 2*n: // the wider operand goes on the right, where its rows are packed by whole cache lines
		b.ranges(o, B, A, sums, n, m, k, parts)
		b.sumRanges(s, sums, m, n, parts, true)
		return
	default:
		b.ranges(o, A, B, sums, m, n, k, parts)
	}
	b.sumRanges(s, sums, m, n, parts, false)
}

// sumRanges appends the sum of the ranges' products, or of their transposes, and what follows.
func (b *binder) sumRanges(s *step, sums []float32, m, n, parts int, transposed bool) {
	v, out, size := b.b.vec, s.out[0].f32, m*n
	to := out
	if transposed {
		to = sums
	}
	b.items(size, 4*parts, func(w *worker, from, end int) {
		v.Add(to[from:end], sums[from:end], sums[size+from:size+end])
		for i := 2; i < parts; i++ {
			v.Add(to[from:end], to[from:end], sums[i*size+from:i*size+end])
		}
		if !transposed && s.chain != nil {
			s.chain.run(w, from, end-from)
		}
	})
	if !transposed {
		return
	}
	b.items(m, 4*n, func(w *worker, from, end int) {
		v.Transpose2D(out[from*n:end*n], sums[from:], n, end-from, n, m)
		if s.chain != nil {
			s.chain.run(w, from*n, (end-from)*n)
		}
	})
}

// ranges appends a phase that writes the product of each range of K.
func (b *binder) ranges(o op.Product, A, B, sums []float32, m, n, k, parts int) {
	stepA, lda, stepB, ldb := 1, k, n, n // from a step to the next, from a row in memory to the next
	if o.TransA {
		stepA, lda = m, m
	}
	if o.TransB {
		stepB, ldb = 1, k
	}
	plans := make([]*gemm.Plan, parts)
	for i := range plans {
		shape := gemm.Shape{M: m, N: n, K: (i+1)*k/parts - i*k/parts, TransA: o.TransA, TransB: o.TransB, LDA: lda, LDB: ldb}
		plans[i] = gemm.NewPlan(b.b.tier, shape, gemm.Options{Serial: true})
		b.scratch(plans[i].LocalFloats())
	}
	size, calls := m*n, make([]gemm.Call, b.b.workers.count())
	b.phase(parts, func(w *worker, task int) {
		c, from := &calls[w.id], task*k/parts
		c.A, c.B, c.C, c.Local = A[from*stepA:], B[from*stepB:], sums[task*size:(task+1)*size], w.local
		plans[task].Do(0, c)
	}).prepares(0, 1)
}

// weightedRows is ranges where one operand is a number a step: the sums are of the other's rows, each times its number.
func (b *binder) weightedRows(A, B, sums []float32, m, n, k, parts int) {
	size := m * n
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
	}).prepares(0, 1)
}
