package cpu

import (
	"aetrain/cpu/gemm"
	"aetrain/op"
)

// bindMatMul multiplies by the packed GEMM; an epilogue that is a bias, a ReLU or a ReLU's mask goes into its store.
func bindMatMul(b *binder, s *step) error {
	o := s.Op.(op.Product)
	batch, m, n, k := o.Dims(s.Case.In[0].Shape, s.Case.In[1].Shape)
	if batch == 0 || m == 0 || n == 0 {
		return nil
	}
	stepA, stepB := m*k, k*n
	if len(s.Case.In[0].Shape) == 2 {
		stepA = 0
	}
	if len(s.Case.In[1].Shape) == 2 {
		stepB = 0
	}
	shape := gemm.Shape{M: m, N: n, K: k, TransA: o.TransA, TransB: o.TransB}
	if batch > 1 {
		return bindBatched(b, s, shape, batch, stepA, stepB)
	}
	if b.e.p.Precision == "bf16" && k > 0 {
		return bindMatMulBF16(b, s, shape)
	}
	frozen := b.frozen(s.src.In[1])
	if parts := cutAlongK(o, m, n, k); parts > 0 && !frozen {
		bindRanges(b, s, o, m, n, k, parts)
		return nil
	}
	plan := gemm.NewPlan(b.b.tier, shape, gemm.Options{})
	if frozen && plan.Method() == "tile" {
		plan = gemm.NewPlan(b.b.tier, shape, gemm.Options{PackB: gemm.PackShared})
	}
	b.multiply(s, plan, s.in[0].f32, s.in[1].f32, n, frozen)
	return nil
}

// multiply appends the phases of a plan, whose result has n columns. A frozen B is packed ahead.
func (b *binder) multiply(s *step, plan *gemm.Plan, A, B []float32, n int, frozen bool) {
	shared := alloc(plan.SharedFloats())
	b.scratch(plan.LocalFloats())
	st := b.store(s, n)
	pack := func(_ *worker, task int) { plan.Pack(task, A, B, shared) }
	if packA, packB := plan.Packs(); frozen && packA != gemm.PackShared && packB == gemm.PackShared {
		b.ahead(s.src.In[1], plan.PackTasks(), pack)
	} else {
		b.phase(plan.PackTasks(), pack).prepares(packed(plan)...)
	}
	calls := b.calls(st.chain, n, func() gemm.Call {
		return gemm.Call{A: A, B: B, C: st.out, Shared: shared, Bias: st.bias, ReLU: st.relu, Mask: st.mask}
	})
	b.phase(plan.Tasks(), func(w *worker, task int) {
		c := calls[w.id]
		c.Local = w.local
		plan.Do(task, c)
	}).byExample(plan.M, func(task int) (from, to int) {
		from, to, _, _ = plan.Block(task)
		return from, to
	})
}

// packed lists the operands that a plan packs before its tasks.
func packed(plan *gemm.Plan) (operands []int) {
	a, b := plan.Packs()
	if a == gemm.PackShared {
		operands = append(operands, 0)
	}
	if b == gemm.PackShared {
		operands = append(operands, 1)
	}
	return operands
}

// bindBatched gives each task whole matrices of a batch.
func bindBatched(b *binder, s *step, shape gemm.Shape, batch, stepA, stepB int) error {
	plan := gemm.NewPlan(b.b.tier, shape, gemm.Options{Serial: true})
	b.scratch(plan.LocalFloats())
	size := shape.M * shape.N
	A, B, C := s.in[0].f32, s.in[1].f32, s.out[0].f32
	calls := make([]gemm.Call, b.b.workers.count())
	b.phase(batch, func(w *worker, i int) {
		c := &calls[w.id]
		c.A, c.B, c.C, c.Local = A[i*stepA:], B[i*stepB:], C[i*size:(i+1)*size], w.local
		plan.Do(0, c)
		if s.chain != nil {
			s.chain.run(w, i*size, size)
		}
	}).byExample(batch, single)
	return nil
}

// calls makes one Call a worker, whose epilogue runs a chain on finished blocks of rows of n columns.
func (b *binder) calls(follow *chain, n int, base func() gemm.Call) []*gemm.Call {
	calls := make([]*gemm.Call, b.b.workers.count())
	for i := range calls {
		c := base()
		if follow != nil {
			w := b.b.workers.all[i]
			c.Epilogue = func(row0, row1, col0, col1 int) {
				if col0 == 0 && col1 == n {
					follow.run(w, row0*n, (row1-row0)*n)
					return
				}
				for r := row0; r < row1; r++ {
					follow.run(w, r*n+col0, col1-col0)
				}
			}
		}
		calls[i] = &c
	}
	return calls
}
