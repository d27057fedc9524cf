//go:build gpu

package gpu

import (
	"aetrain/op"
	"aetrain/program"
)

// product is a MatMul's sizes and the steps from matrix to matrix; 0: one for all.
type product struct {
	batch, m, n, k      int
	transA, transB      bool
	stepA, stepB, stepC int
}

// productOf describes a step. A batch whose right operand is shared is one product with more rows.
func productOf(s *step) product {
	o, a, b := s.Op.(op.Product), s.Case.In[0].Shape, s.Case.In[1].Shape
	p := product{transA: o.TransA, transB: o.TransB}
	p.batch, p.m, p.n, p.k = o.Dims(a, b)
	p.stepA, p.stepB, p.stepC = p.m*p.k, p.k*p.n, p.m*p.n
	if len(a) == 2 {
		p.stepA = 0
	}
	if len(b) == 2 {
		p.stepB = 0
	}
	if p.stepB == 0 && p.stepA != 0 && !p.transA {
		p.batch, p.m = 1, p.batch*p.m
	}
	if p.batch == 1 {
		p.stepA, p.stepB = 0, 0
	}
	return p
}

// empty writes the zeros of a product without inner steps; ok is false where there is something to multiply.
func (p product) empty(b *binder, s *step) (ok bool) {
	if p.batch > 0 && p.m > 0 && p.n > 0 && p.k > 0 {
		return false
	}
	if s.out[0].size > 0 {
		b.fill(s.out[0], 0)
	}
	return true
}

// bindGEMM multiplies by our own kernel, in float32; bias and activation go into its store.
func bindGEMM(b *binder, s *step) error {
	p := productOf(s)
	if p.empty(b, s) {
		return nil
	}
	b.gemm(s, p, b.storeOf(s, program.Access{Inner: 1, Period: p.n}))
	return nil
}

// gemm multiplies into output 0 and applies st.
func (b *binder) gemm(s *step, p product, st store) {
	out := s.out[0]
	t := tilingOf(p.batch, p.m, p.n, p.k, gemmTiles)
	to := b.parts(out, t.parts)
	now := st.of(t.parts)
	grid := [3]int{t.across * t.down * p.batch, t.parts, 1}
	b.kernel("gemm_"+t.name, grid, line(256), 0, s.in[0], s.in[1], to, now.bias, p.m, p.n, p.k, p.flags(),
		int64(p.stepA), int64(p.stepB), int64(p.stepC), t.per, int64(p.batch*p.stepC), now.activation)
	b.sumParts(out, to, t.parts, st, 1, p.n)
}

// flags are those of kernels/cuda/gemm.cu.
func (p product) flags() int {
	contiguousA, contiguousB := p.k, p.n
	if p.transA {
		contiguousA = p.m
	}
	if p.transB {
		contiguousB = p.k
	}
	f := 0
	for i, on := range []bool{p.transA, p.transB, contiguousA%4 == 0, contiguousB%4 == 0, p.n%4 == 0} {
		if on {
			f |= 1 << i
		}
	}
	return f
}
