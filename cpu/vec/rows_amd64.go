//go:build amd64 && !noasm

package vec

import (
	"runtime"
	"unsafe"
)

// Kernels that walk through rows of many operands (kernels/asm/vec_rows.go), and what they are told.

// rowsBlock is the argument block. Addresses are numbers, because the kernels move them on, behind the last row too; whoever calls
// keeps the operands alive.
type rowsBlock struct {
	n, rows  uintptr // elements of a row; rows
	operands [22]struct{ at, step uintptr }
}

// set gives operand k its place: rows step floats apart.
func (b *rowsBlock) set(k int, x []float32, step int) {
	b.operands[k].at, b.operands[k].step = uintptr(unsafe.Pointer(unsafe.SliceData(x))), uintptr(step)*4
}

// need panics where x is too short for rows of n floats, step floats apart.
func need(x []float32, rows, n, step int) {
	_ = x[(rows-1)*step+n-1]
}

//go:noescape
func lstmAVX2(p *rowsBlock)

//go:noescape
func lstmGradAVX2(p *rowsBlock)

//go:noescape
func lstmGradSequenceAVX2(p *rowsBlock)

//go:noescape
func lstmAVX512(p *rowsBlock)

//go:noescape
func lstmGradAVX512(p *rowsBlock)

//go:noescape
func lstmGradSequenceAVX512(p *rowsBlock)

// The tiers' functions are alike but for the kernels that they name: through a function value the block would be allocated at each call.

func rowKernelsAVX2(k *Kernels) {
	k.LSTM = func(a *LSTMArgs) {
		if b := (rowsBlock{}); b.lstm(a) {
			lstmAVX2(&b)
			runtime.KeepAlive(a)
		}
	}
	k.LSTMGrad = func(a *LSTMGradArgs) {
		b := rowsBlock{}
		switch {
		case !b.lstmGrad(a):
		case a.Sequence != nil:
			lstmGradSequenceAVX2(&b)
		default:
			lstmGradAVX2(&b)
		}
		runtime.KeepAlive(a)
	}
}

func rowKernelsAVX512(k *Kernels) {
	k.LSTM = func(a *LSTMArgs) {
		if b := (rowsBlock{}); b.lstm(a) {
			lstmAVX512(&b)
			runtime.KeepAlive(a)
		}
	}
	k.LSTMGrad = func(a *LSTMGradArgs) {
		b := rowsBlock{}
		switch {
		case !b.lstmGrad(a):
		case a.Sequence != nil:
			lstmGradSequenceAVX512(&b)
		default:
			lstmGradAVX512(&b)
		}
		runtime.KeepAlive(a)
	}
}

// lstm fills the block; it reports whether there is anything to do.
func (b *rowsBlock) lstm(a *LSTMArgs) bool {
	h := a.H
	if a.Rows == 0 || h == 0 {
		return false
	}
	b.n, b.rows = uintptr(h), uintptr(a.Rows)
	need(a.Products, a.Rows, 4*h, 4*h)
	need(a.Input, a.Rows, 4*h, a.InputStep)
	need(a.Bias, 1, 4*h, 0)
	for g := range 4 {
		b.set(g, a.Products[g*h:], 4*h)
		b.set(4+g, a.Input[g*h:], a.InputStep)
		b.set(8+g, a.Bias[g*h:], 0)
		need(a.Acts[g], a.Rows, h, h)
		b.set(12+g, a.Acts[g], h)
	}
	for i, x := range [][]float32{a.C, a.NewC, a.H1, a.H1, a.H1} {
		need(x, a.Rows, h, h)
		b.set(16+i, x, h)
	}
	b.set(21, a.Input, a.InputStep)
	if a.Ahead != nil {
		b.set(21, a.Ahead, a.InputStep)
	}
	for i, x := range a.Copies {
		if x != nil {
			need(x, a.Rows, h, a.CopyStep)
			b.set(19+i, x, a.CopyStep)
		}
	}
	return true
}

// lstmGrad fills the block; it reports whether there is anything to do.
func (b *rowsBlock) lstmGrad(a *LSTMGradArgs) bool {
	h := a.H
	if a.Rows == 0 || h == 0 {
		return false
	}
	b.n, b.rows = uintptr(h), uintptr(a.Rows)
	need(a.Gates, a.Rows, 4*h, 4*h)
	need(a.Sum, a.Rows, 4*h, 4*h)
	copyTo, step := a.Copy, a.CopyStep
	if copyTo == nil {
		copyTo, step = a.Gates, 4*h
	}
	need(copyTo, a.Rows, 4*h, step)
	for g := range 4 {
		need(a.Acts[g], a.Rows, h, h)
		b.set(g, a.Acts[g], h)
		b.set(4+g, a.Gates[g*h:], 4*h)
		b.set(8+g, copyTo[g*h:], step)
		b.set(12+g, a.Sum[g*h:], 4*h)
	}
	for i, x := range [][]float32{a.C, a.Before, a.DH, a.DC, a.NewDC} {
		need(x, a.Rows, h, h)
		b.set(16+i, x, h)
	}
	if a.Sequence != nil {
		need(a.Sequence, a.Rows, h, a.SequenceStep)
		b.set(21, a.Sequence, a.SequenceStep)
	}
	return true
}
