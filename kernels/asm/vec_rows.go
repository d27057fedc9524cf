package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// rowKernel computes some operands from others, row by row: more of them, each with a distance of its own from row to row, than
// there are registers for. The argument block (cpu/vec/rows_amd64.go) has the number of elements and of rows, then for each
// operand its address, its step in bytes and how far away, in bytes, it is in the next call.
type rowKernel struct {
	name     string
	operands int
	ahead    []blocks // what is asked for at that distance while a row is computed
	body     func(m simd, get getter, put putter)
}

// blocks are some operands side by side.
type blocks struct{ first, n int }

// getter and putter read and write a vector of operand k.
type (
	getter = func(k int) V
	putter = func(k int, v V)
)

// rowsPinned is how many constants AVX2 keeps in registers.
const rowsPinned = 5

func (r rowKernel) emit(m simd) {
	TEXT(r.name+m.suffix, NOSPLIT, "func(p *uint64)")
	p := Load(Param("p"), GP64())
	address := func(k int) Mem { return Mem{Base: p, Disp: 16 + 24*k} }
	j, next := GP64(), GP64()
	operand := func(k int) Mem {
		t := GP64()
		MOVQ(address(k), t)
		return Mem{Base: t, Index: j, Scale: 4}
	}
	full := func(m simd) {
		r.body(m, func(k int) V {
			d := m.reg()
			m.do(func() { VMOVUPS(operand(k), d) })
			return d
		}, func(k int, v V) { m.do(func() { VMOVUPS(v, operand(k)) }) })
	}
	pins := rowsPinned
	if m.wide() {
		pins = 12
	}
	m = m.pin(pins, full)
	Label("row")
	for i, b := range r.ahead {
		ask(p, b, fmt.Sprint("ahead", i))
	}
	XORQ(j, j)
	Label("vector")
	LEAQ(Mem{Base: j, Disp: m.lanes}, next)
	CMPQ(next, Mem{Base: p})
	JGT(LabelRef("rest"))
	full(m)
	LEAQ(Mem{Base: j, Disp: m.lanes}, j)
	JMP(LabelRef("vector"))
	Label("rest")
	left := GP64()
	MOVQ(Mem{Base: p}, left)
	SUBQ(j, left)
	JLE(LabelRef("end"))
	k := m.tail(left)
	r.body(m, func(i int) V { return m.loadPart(k, operand(i)) }, func(i int, v V) { m.storePart(k, v, operand(i)) })
	Label("end")
	for i := range r.operands {
		step := GP64()
		MOVQ(Mem{Base: p, Disp: 24 + 24*i}, step)
		ADDQ(step, address(i))
	}
	DECQ(Mem{Base: p, Disp: 8})
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// ask brings near what some operands of the next call's row have there; it does nothing where their distance is 0: not known.
func ask(block Register, b blocks, label string) {
	at, left := GP64(), GP64()
	MOVQ(Mem{Base: block, Disp: 32 + 24*b.first}, at)
	TESTQ(at, at)
	JZ(LabelRef(label + "_done"))
	ADDQ(Mem{Base: block, Disp: 16 + 24*b.first}, at)
	MOVQ(Mem{Base: block}, left)
	IMUL3Q(U8(4*b.n), left, left)
	Label(label)
	for line := range 4 { // up to three too many
		PREFETCHT0(Mem{Base: at, Disp: 64 * line})
	}
	ADDQ(U32(256), at)
	SUBQ(U32(256), left)
	JG(LabelRef(label))
	Label(label + "_done")
}
