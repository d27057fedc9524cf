//go:build amd64 && !noasm

package vec

import "unsafe"

// Kernels that walk through rows of many operands (kernels/asm/vec_rows.go), and what they are told.

// rowsBlock is the argument block. Addresses are numbers, because the kernels move them on, behind the last row too; whoever calls
// keeps the operands alive.
type rowsBlock struct {
	n, rows  uintptr // elements of a row; rows
	operands [22]struct {
		at, step uintptr
		ahead    int // bytes from here to where the next call's are, which may be asked for; 0: not known
	}
	next int // the operand that is added next; not for the kernels
}

// add appends operands that stand side by side in x, blocks of them, whose rows are step floats apart, and those of the next call
// ahead floats away. It panics where x is too short.
func (b *rowsBlock) add(x []float32, blocks, step, ahead int) {
	n := int(b.n)
	_ = x[(int(b.rows)-1)*step+blocks*n-1]
	for i := range blocks {
		o := &b.operands[b.next+i]
		o.at, o.step, o.ahead = uintptr(unsafe.Pointer(unsafe.SliceData(x[i*n:]))), uintptr(step)*4, ahead*4
	}
	b.next += blocks
}

// addEach appends operands whose rows follow one another.
func (b *rowsBlock) addEach(ahead int, list ...[]float32) {
	for _, x := range list {
		b.add(x, 1, int(b.n), ahead)
	}
}
