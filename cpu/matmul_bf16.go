package cpu

import (
	"aetrain/cpu/cpuinfo"
	"aetrain/cpu/gemm"
)

// precisions are those of products; bfloat16 where the processor multiplies pairs of it, as without that it would only be slow.
func (b *Backend) precisions() []string {
	if b.tier == cpuinfo.AVX512 && cpuinfo.BF16() || b.bf16 {
		return []string{"float32", "bf16"}
	}
	return []string{"float32"}
}

// pairTask is about how many floats a task makes pairs of: some 20 microseconds.
const pairTask = 1 << 16

// bindMatMulBF16 rounds both operands to pairs of bfloat16 and multiplies those; sums, result and epilogue are float32. Weights stay
// float32 in the State and are rounded in every step that reads them.
func bindMatMulBF16(b *binder, s *step, shape gemm.Shape) error {
	A := b.pairs(s.in[0].f32, shape.M, shape.K, shape.TransA, shape.TransA)
	B := b.pairs(s.in[1].f32, shape.K, shape.N, shape.TransB, !shape.TransB)
	n := shape.N
	shape.K = (shape.K + 1) / 2
	b.multiply(s, gemm.NewPlan(b.b.tier, shape, gemm.Options{BF16: true}), A, B, n, false)
	return nil
}

// pairs appends a phase that makes pairs of an operand, a rows×cols matrix that may be stored transposed, along its K: down its rows
// as they are stored, or along them.
func (b *binder) pairs(x []float32, rows, cols int, trans, down bool) []float32 {
	if trans {
		rows, cols = cols, rows
	}
	unit, width, size := 1, (cols+1)/2, rows // of the result: rows of the source for each of its rows, and its sizes
	if down {
		unit, width, size = 2, cols, (rows+1)/2
	}
	to := alloc(size * width)
	tasks := max(1, min(size, size*width*2/pairTask))
	b.phase(tasks, func(_ *worker, task int) {
		from, end := task*size/tasks, (task+1)*size/tasks
		gemm.Pairs(to[from*width:end*width], x[from*unit*cols:], min(rows, end*unit)-from*unit, cols, cols, down)
	})
	return to
}
