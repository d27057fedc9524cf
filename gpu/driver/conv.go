//go:build gpu && cgo

package driver

/*
#cgo noescape ae_conv_run
#cgo nocallback ae_conv_run
#include <stdlib.h>
#include "conv_plan.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"math"
	"unsafe"
)

// Pass is what of a convolution is computed.
type Pass uint8

const (
	Forward        Pass = iota // y from x and w
	BackwardData               // the gradient of x, from w and y; the forward pass of a transposed convolution too
	BackwardFilter             // the gradient of w, from x and y
)

// String returns "forward", "backward data" or "backward filter".
func (p Pass) String() string {
	return [...]string{"forward", "backward data", "backward filter"}[min(p, BackwardFilter)]
}

// Conv describes a 2-D convolution as networks have it (cross-correlation) in terms of its forward pass, in NCHW:
//
//	x: N×C×H×W   w: K×(C/Groups)×R×S   y: N×K×P×Q,  P = (H + 2·PadH - DilationH·(R-1) - 1)/StrideH + 1, Q alike
//
// With BF16, all three are bfloat16 in memory; else float32. Float32 is strict: an algorithm sums products of float32 and does not
// transform the operands first, as FFT and Winograd do, which are less exact.
type Conv struct {
	Pass                         Pass
	N, C, H, W, K, R, S, P, Q    int
	PadH, PadW, StrideH, StrideW int // strides 0 count as 1
	DilationH, DilationW, Groups int // 0 counts as 1
	Precision                    Precision
	Deterministic                bool  // only algorithms that give the same bits each time
	WorkspaceLimit               int64 // bytes that an algorithm may want; 0: none
}

// ConvPlan is a Conv made ready: descriptors and an algorithm. It may be used by one goroutine at a time.
type ConvPlan struct {
	dnn  *Dnn
	plan *C.ae_conv_plan // C's memory: the library keeps pointers into it
}

// Plan takes the rank-th algorithm, from 0, of those that cuDNN's heuristic thinks fastest. Algorithms differ in rounding. The error
// wraps ErrNoAlgorithm where there are not so many that fit.
func (d *Dnn) Plan(c Conv, rank int) (*ConvPlan, error) {
	problem, err := c.problem()
	if err != nil {
		return nil, fmt.Errorf("%v: %w", c, err)
	}
	var found [mostPlans]C.ae_conv_plan
	var got C.int
	var call *C.char
	if code := C.ae_conv_plans(d.handle, &problem, C.int(min(rank+1, mostPlans)), &found[0], &got, &call); code != 0 {
		return nil, dnnCheck(fmt.Sprintf("%s of %v", C.GoString(call), c), code)
	}
	for i := range int(got) {
		if i != rank {
			C.ae_conv_free(&found[i])
		}
	}
	if rank >= int(got) {
		return nil, fmt.Errorf("%v: algorithm %d of %d: %w", c, rank, int(got), ErrNoAlgorithm)
	}
	plan := (*C.ae_conv_plan)(C.malloc(C.size_t(unsafe.Sizeof(found[rank]))))
	*plan = found[rank]
	return &ConvPlan{dnn: d, plan: plan}, nil
}

// problem checks the description and writes it as C takes it.
func (c Conv) problem() (C.ae_conv_problem, error) {
	c = c.defaults()
	if err := c.check(); err != nil {
		return C.ae_conv_problem{}, err
	}
	p := C.ae_conv_problem{
		pass: C.int(c.Pass), n: C.int(c.N), c: C.int(c.C), h: C.int(c.H), w: C.int(c.W), k: C.int(c.K), r: C.int(c.R), s: C.int(c.S),
		p: C.int(c.P), q: C.int(c.Q), groups: C.int(c.Groups), deterministic: flag(c.Deterministic), workspace: C.size_t(c.WorkspaceLimit),
		pad: [2]C.int{C.int(c.PadH), C.int(c.PadW)}, stride: [2]C.int{C.int(c.StrideH), C.int(c.StrideW)},
		dilation: [2]C.int{C.int(c.DilationH), C.int(c.DilationW)},
		_type:    C.AE_CUDNN_DATA_FLOAT, math: C.AE_CUDNN_FMA_MATH,
	}
	switch c.Precision {
	case TF32:
		p.math = C.AE_CUDNN_TENSOR_OP_MATH
	case BF16:
		p._type, p.math = C.AE_CUDNN_DATA_BFLOAT16, C.AE_CUDNN_TENSOR_OP_MATH
	}
	return p, nil
}

// defaults fills in what 0 stands for.
func (c Conv) defaults() Conv {
	for _, v := range []*int{&c.StrideH, &c.StrideW, &c.DilationH, &c.DilationW, &c.Groups} {
		if *v == 0 {
			*v = 1
		}
	}
	return c
}

// check finds what cuDNN would only call a bad parameter.
func (c Conv) check() error {
	for _, v := range []int{c.N, c.C, c.H, c.W, c.K, c.R, c.S, c.P, c.Q, c.StrideH, c.StrideW, c.DilationH, c.DilationW, c.Groups} {
		if v < 1 || v > math.MaxInt32 {
			return errors.New("sizes, strides and groups have to be positive")
		}
	}
	switch {
	case c.PadH < 0 || c.PadW < 0:
		return errors.New("padding cannot be negative")
	case c.Pass > BackwardFilter:
		return fmt.Errorf("there is no pass %d", c.Pass)
	case c.Precision > BF16:
		return fmt.Errorf("there is no precision %d", c.Precision)
	}
	if c.C%c.Groups != 0 || c.K%c.Groups != 0 {
		return fmt.Errorf("%d groups do not divide the channels", c.Groups)
	}
	out := func(in, pad, dilation, kernel, stride int) int { return (in+2*pad-dilation*(kernel-1)-1)/stride + 1 }
	if p, q := out(c.H, c.PadH, c.DilationH, c.R, c.StrideH), out(c.W, c.PadW, c.DilationW, c.S, c.StrideW); p != c.P || q != c.Q {
		return fmt.Errorf("the output would be %d×%d", p, q)
	}
	for _, n := range []float64{float64(c.N) * float64(c.C) * float64(c.H) * float64(c.W), float64(c.N) * float64(c.K) * float64(c.P) * float64(c.Q)} {
		if n > math.MaxInt32 {
			return errors.New("a tensor has 2³¹ elements or more, for which cuDNN has no room")
		}
	}
	return nil
}

// String describes the convolution for errors and logs: "forward convolution of 128×32×28×28 by 64×32×3×3 to 14×14, tf32".
func (c Conv) String() string {
	c = c.defaults()
	s := fmt.Sprintf("%v convolution of %d×%d×%d×%d by %d×%d×%d×%d to %d×%d", c.Pass, c.N, c.C, c.H, c.W, c.K, c.C/c.Groups, c.R, c.S, c.P, c.Q)
	if c.Groups > 1 {
		s += fmt.Sprintf(", %d groups", c.Groups)
	}
	return s + ", " + c.Precision.String()
}

// convAlgorithms names cuDNN's algorithms of each pass, as its header does.
var convAlgorithms = [3][]string{
	{"implicit-gemm", "implicit-precomp-gemm", "gemm", "direct", "fft", "fft-tiling", "winograd", "winograd-nonfused"},
	{"algo-0", "algo-1", "fft", "fft-tiling", "winograd", "winograd-nonfused"},
	{"algo-0", "algo-1", "fft", "algo-3", "winograd", "winograd-nonfused", "fft-tiling"},
}

// Algorithm names the algorithm: "implicit-precomp-gemm".
func (p *ConvPlan) Algorithm() string {
	names, algo := convAlgorithms[p.plan.pass], int(p.plan.algo)
	if algo < len(names) {
		return names[algo]
	}
	return fmt.Sprintf("algo-%d", algo)
}

// Deterministic reports whether the algorithm gives the same bits each time.
func (p *ConvPlan) Deterministic() bool { return p.plan.deterministic != 0 }

// Workspace is the number of bytes of device memory that Run wants.
func (p *ConvPlan) Workspace() int64 { return int64(p.plan.workspace) }

// Run enqueues the pass on s: of x, w and y it writes the one that the pass computes. workspace is 0 where Workspace is.
// It may be captured.
func (p *ConvPlan) Run(s Stream, x, w, y, workspace Ptr) error {
	if code := C.ae_conv_run(p.dnn.handle, p.plan, C.uint64_t(x), C.uint64_t(w), C.uint64_t(y), C.uint64_t(workspace), s.pointer()); code != 0 {
		return dnnCheck("cudnnConvolution, "+Pass(p.plan.pass).String(), code)
	}
	return nil
}

// Destroy frees the plan; work that was enqueued is still done. A nil plan is nothing to free.
func (p *ConvPlan) Destroy() error {
	if p == nil || p.plan == nil {
		return nil
	}
	C.ae_conv_free(p.plan)
	C.free(unsafe.Pointer(p.plan))
	p.plan = nil
	return nil
}
