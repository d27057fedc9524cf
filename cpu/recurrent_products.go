package cpu

import "aetrain/cpu/gemm"

// recurrentProducts multiply a block of examples by the recurrent weight, which is packed once a run.
type recurrentProducts struct {
	whole, last *gemm.Plan // of full tasks, of the last one
	packed      []float32
	calls       []gemm.Call
	local       int // scratch of a worker
}

// recurrentProducts reserves the products of a task's rows with weight, GH×H, of the shape's N and K, and appends its packing.
func (b *binder) recurrentProducts(r *recurrence, weight []float32, s gemm.Shape) *recurrentProducts {
	plan := func(rows int) *gemm.Plan {
		s.M = rows
		return gemm.NewPlan(b.b.tier, s, gemm.Options{PackA: gemm.PackNone, PackB: gemm.PackShared, Tasks: 1})
	}
	p := &recurrentProducts{whole: plan(r.rows), calls: make([]gemm.Call, b.b.workers.count())}
	p.last = p.whole
	if rest := r.n % r.rows; rest > 0 {
		p.last = plan(rest)
	}
	p.packed = alloc(p.whole.SharedFloats())
	p.local = max(p.whole.LocalFloats(), p.last.LocalFloats())
	b.phase(p.whole.PackTasks(), func(_ *worker, task int) { p.whole.Pack(task, nil, weight, p.packed) })
	return p
}

// run computes the product of a task's block.
func (p *recurrentProducts) run(e *recurrentExamples, dst, block []float32) {
	c := &p.calls[e.w.id]
	c.A, c.B, c.C, c.Shared, c.Local = block, p.packed, dst, p.packed, e.local
	if e.rows == p.whole.M {
		p.whole.Do(0, c)
	} else {
		p.last.Do(0, c)
	}
}
