//go:build gpu && cgo

package driver

/*
#cgo noescape ae_lt_run
#cgo nocallback ae_lt_run
#include <stdlib.h>
#include "lt_plan.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

// MatMul describes products of row-major matrices, C[M,N] = op(A)[M,K] op(B)[K,N], with C in float32 and A and B in
// what Precision says. op(A) is A, stored M×K, or with TransA the transpose of A, which is then stored K×M; B alike.
// Rows follow each other without gaps.
type MatMul struct {
	Batch, M, N, K   int // Batch 0 counts as 1
	TransA, TransB   bool
	StrideA, StrideB int64 // elements from a matrix of the batch to the next; 0: all use the same one
	StrideC          int64 // alike, and with a batch not 0
	Precision        Precision
	Epilogue         Epilogue
	WorkspaceLimit   int64 // bytes that an algorithm may want; 0: none. cuBLASLt likes 32 MiB on Hopper, 4 MiB elsewhere
	Alignment        int   // bytes of which every address in Run will be a multiple, a power of two; 0 is 16
}

// Epilogue is what happens to C before it is stored.
type Epilogue uint8

const (
	None     Epilogue = iota
	Bias              // a vector of N float32 is added to each row
	ReLU              // negative elements become 0
	BiasReLU          // both, the bias first
)

// String returns "none", "bias", "relu" or "bias+relu".
func (e Epilogue) String() string {
	return [...]string{"none", "bias", "relu", "bias+relu"}[min(e, BiasReLU)]
}

// MatMulPlan is a MatMul made ready: descriptors and an algorithm. It may be used by one goroutine at a time.
type MatMulPlan struct {
	lt   *Lt
	plan *C.ae_lt_plan // C's memory: the library keeps pointers into it
	mask Ptr           // bits of addresses that have to be 0
}

// mostPlans is how many algorithms a library is asked for at most.
const mostPlans = 16

// Plan takes the rank-th algorithm, from 0, of those that cuBLASLt's heuristic thinks fastest and that give the same bits each time.
// Algorithms differ in rounding. The error wraps ErrNoAlgorithm where there are not so many.
func (l *Lt) Plan(m MatMul, rank int) (*MatMulPlan, error) {
	problem, err := m.problem()
	if err != nil {
		return nil, fmt.Errorf("%v: %w", m, err)
	}
	var found [mostPlans]C.ae_lt_plan
	var got C.int
	var call *C.char
	if code := C.ae_lt_plans(l.handle, &problem, C.int(min(rank+1, mostPlans)), &found[0], &got, &call); code != 0 {
		return nil, ltCheck(fmt.Sprintf("%s of %v", C.GoString(call), m), code)
	}
	for i := range int(got) {
		if i != rank {
			C.ae_lt_free(&found[i])
		}
	}
	if rank >= int(got) {
		return nil, fmt.Errorf("%v: algorithm %d of %d: %w", m, rank, int(got), ErrNoAlgorithm)
	}
	plan := (*C.ae_lt_plan)(C.malloc(C.size_t(unsafe.Sizeof(found[rank]))))
	*plan = found[rank]
	return &MatMulPlan{lt: l, plan: plan, mask: Ptr(problem.alignment) - 1}, nil
}

// problem checks the description and writes it as C takes it.
func (m MatMul) problem() (C.ae_lt_problem, error) {
	m = m.defaults()
	switch {
	case m.M < 1 || m.N < 1 || m.K < 1 || m.Batch < 1:
		return C.ae_lt_problem{}, errors.New("the batch, M, N and K have to be positive")
	case m.Batch > 1 && m.StrideC == 0:
		return C.ae_lt_problem{}, errors.New("products of a batch need places of their own: StrideC is 0")
	case m.Epilogue > BiasReLU:
		return C.ae_lt_problem{}, fmt.Errorf("there is no epilogue %d", m.Epilogue)
	case m.Precision > BF16:
		return C.ae_lt_problem{}, fmt.Errorf("there is no precision %d", m.Precision)
	case m.Alignment&(m.Alignment-1) != 0:
		return C.ae_lt_problem{}, fmt.Errorf("the alignment %d is no power of two", m.Alignment)
	}
	p := C.ae_lt_problem{
		m: C.int64_t(m.M), n: C.int64_t(m.N), k: C.int64_t(m.K), batch: C.int(m.Batch),
		stride_a: C.int64_t(m.StrideA), stride_b: C.int64_t(m.StrideB), stride_c: C.int64_t(m.StrideC),
		trans_a: flag(m.TransA), trans_b: flag(m.TransB),
		workspace: C.uint64_t(m.WorkspaceLimit), alignment: C.uint32_t(m.Alignment),
		_type: C.AE_CUDA_R_32F, compute: C.AE_CUBLAS_COMPUTE_32F,
	}
	switch m.Precision {
	case TF32:
		p.compute = C.AE_CUBLAS_COMPUTE_32F_FAST_TF32
	case BF16:
		p._type = C.AE_CUDA_R_16BF
	}
	p.epilogue = [...]C.int{C.AE_CUBLASLT_EPILOGUE_DEFAULT, C.AE_CUBLASLT_EPILOGUE_BIAS, C.AE_CUBLASLT_EPILOGUE_RELU, C.AE_CUBLASLT_EPILOGUE_RELU_BIAS}[m.Epilogue]
	return p, nil
}

// defaults fills in what 0 stands for.
func (m MatMul) defaults() MatMul {
	if m.Batch == 0 {
		m.Batch = 1
	}
	if m.Alignment == 0 {
		m.Alignment = 16
	}
	return m
}

// String describes the product for errors and logs: "128×400 of 784, bias+relu, tf32".
func (m MatMul) String() string {
	s := fmt.Sprintf("%d×%d of %d", m.M, m.N, m.K)
	if m.Batch > 1 {
		s = fmt.Sprintf("%d times %s", m.Batch, s)
	}
	if m.TransA {
		s += ", A transposed"
	}
	if m.TransB {
		s += ", B transposed"
	}
	if m.Epilogue != None {
		s += ", " + m.Epilogue.String()
	}
	return s + ", " + m.Precision.String()
}

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}

// Workspace is the number of bytes of device memory that Run wants.
func (p *MatMulPlan) Workspace() int64 { return int64(p.plan.workspace) }

// Algorithm names the algorithm by cuBLASLt's own number and its tile, stages and splitting, as far as it tells: for
// logs, equal for equal algorithms of one version.
func (p *MatMulPlan) Algorithm() string {
	return fmt.Sprintf("%x-%x", uint64(p.plan.algo.data[0]), uint64(p.plan.algo.data[1]))
}

// Run enqueues the product on s. bias is read with the epilogues that have one, workspace where Workspace is not 0;
// else they are 0. It may be captured.
func (p *MatMulPlan) Run(s Stream, a, b, c, bias, workspace Ptr) error {
	if (a|b|c|bias)&p.mask != 0 {
		return fmt.Errorf("cublasLtMatmul: addresses %#x, %#x, %#x and %#x are to be multiples of %d", uint64(a), uint64(b), uint64(c), uint64(bias), p.mask+1)
	}
	if code := C.ae_lt_run(p.lt.handle, p.plan, C.uint64_t(a), C.uint64_t(b), C.uint64_t(c), C.uint64_t(bias), C.uint64_t(workspace), s.pointer()); code != 0 {
		return ltCheck("cublasLtMatmul", code)
	}
	return nil
}

// Destroy frees the plan; work that was enqueued is still done. A nil plan is nothing to free.
func (p *MatMulPlan) Destroy() error {
	if p == nil || p.plan == nil {
		return nil
	}
	C.ae_lt_free(p.plan)
	C.free(unsafe.Pointer(p.plan))
	p.plan = nil
	return nil
}
