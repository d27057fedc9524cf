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

// tiles says that products of bfloat16 run on AMX, which the system has to allow: it is asked when a program wants them.
func (b *Backend) tiles() bool {
	return b.tiled || b.tier == cpuinfo.AVX512 && cpuinfo.AMX() && cpuinfo.RequestAMX() == nil
}

// bindMatMulBF16 rounds both operands to pairs of bfloat16 and multiplies those; sums, result and epilogue are float32. Weights stay
// float32 in the State and are rounded in every step that reads them.
func bindMatMulBF16(b *binder, s *step, shape gemm.Shape) error {
	b.rounded = true
	n, k, tiles := shape.N, (shape.K+1)/2, b.b.tiles()
	if tiles {
		k = (k + gemm.TileK - 1) / gemm.TileK * gemm.TileK
	}
	A := b.pairs(s, 0, shape.M, shape.K, k, shape.TransA, shape.TransA, tiles)
	B := b.pairs(s, 1, shape.K, shape.N, k, shape.TransB, !shape.TransB, false)
	shape.K, shape.TransA = k, shape.TransA && !tiles
	b.multiply(s, gemm.NewPlan(b.b.tier, shape, gemm.Options{BF16: true, Tiles: tiles}), A, B, n, false)
	return nil
}

// pairs appends a phase that makes k pairs along K of an operand, a rows×cols matrix that may be stored transposed: down its rows as
// they are stored, or along them. With turn, one that runs down is transposed, so that pairs lie along rows.
func (b *binder) pairs(s *step, operand, rows, cols, k int, trans, down, turn bool) []float32 {
	x := s.in[operand].f32
	if trans {
		rows, cols = cols, rows
	}
	turn = turn && down
	unit, width, size := 1, k, rows // of the result: rows of the source for each of its rows, and its sizes
	switch {
	case turn:
		size = cols
	case down:
		unit, width, size = 2, cols, k
	}
	to := alloc(size * width)
	tasks := max(1, min(size, size*width*2/pairTask))
	b.phase(tasks, func(_ *worker, task int) {
		from, end := task*size/tasks, (task+1)*size/tasks
		part, first, last := to[from*width:end*width], min(rows, from*unit), min(rows, end*unit)
		switch {
		case turn:
			gemm.PairsTransposed(part, x[from:], rows, end-from, cols, k)
		case down:
			gemm.Pairs(part, x[first*cols:], last-first, cols, cols, end-from, true)
		default:
			gemm.Pairs(part, x[first*cols:], last-first, cols, cols, k, false)
		}
	}).prepares(operand)
	return to
}
