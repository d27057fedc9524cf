//go:build gpu

package gpu

import (
	"errors"

	"aetrain/gpu/driver"
	"aetrain/graph"
	"aetrain/kernels"
	"aetrain/program"
)

// workspaceLimit is what a library's algorithm may want, in bytes; all steps share it.
const workspaceLimit = 64 << 20

// ltFits says that cuBLASLt is there.
func (d *device) ltFits(kernels.Case) bool { return d.lt != nil }

// bindLt multiplies by the rank-th algorithm, from 0, of those that cuBLASLt thinks fastest; a bias and a ReLU are its epilogue.
// Where it has not so many, our own kernel runs.
func bindLt(rank int) launch {
	return func(b *binder, s *step) error { return b.multiplyLt(s, rank) }
}

func (b *binder) multiplyLt(s *step, rank int) error {
	p := productOf(s)
	if p.empty(b, s) {
		return nil
	}
	m := driver.MatMul{Batch: p.batch, M: p.m, N: p.n, K: p.k, TransA: p.transA, TransB: p.transB,
		StrideA: int64(p.stepA), StrideB: int64(p.stepB), StrideC: int64(p.stepC), Precision: b.precision, WorkspaceLimit: workspaceLimit}
	st := plain
	var bias memory
	if !productWanted(s) {
		if v, relu, ok := b.takeBias(s, program.Access{Inner: 1, Period: p.n}, true); ok {
			bias, st.bias, m.Epilogue = v, v, driver.Bias
			if relu {
				st.activation, m.Epilogue = activations["ReLU"], driver.BiasReLU
			}
		}
	}
	plan, err := b.dev.lt.Plan(m, rank)
	if errors.Is(err, driver.ErrNoAlgorithm) {
		b.gemm(s, p, st)
		return nil
	}
	if err != nil {
		return err
	}
	b.onClose(plan.Destroy)
	b.computed = b.precision
	x, y, out := b.rounded(s.in[0]), b.rounded(s.in[1]), s.out[0]
	work := b.scratch(graph.Uint8, int(plan.Workspace()))
	b.call("cublaslt", func(st driver.Stream) error {
		return plan.Run(st, x.ptr(), y.ptr(), out.ptr(), address(bias), address(work))
	})
	return nil
}

// address is a piece's address, 0 where it is empty.
func address(m memory) driver.Ptr {
	if m.size == 0 {
		return 0
	}
	return m.ptr()
}

// rounded is m in the precision of products: bfloat16 in scratch, or m itself.
func (b *binder) rounded(m memory) memory {
	if b.precision != driver.BF16 {
		return m
	}
	to := b.scratch(graph.Float32, (m.size+1)/2)
	b.kernel("to_bf16", line(blocks(to.size, 256)), line(256), 0, m, to, int64(m.size))
	return to
}
