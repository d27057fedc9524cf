package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// rowKernel computes some operands from others, row by row: more of them, each with a distance of its own from row to row, than
// there are registers for. The argument block (cpu/vec/rows_amd64.go) has the number of elements and of rows, then for each
// operand its address and its step in bytes.
type rowKernel struct {
	name     string
	operands int
	ahead    int // the operand of which four times a row's elements are asked for and not read; 0: none
	body     func(m simd, get func(k int) V, put func(k int, v V))
}

// rowsPinned is how many constants AVX2 keeps in registers.
const rowsPinned = 5

func (r rowKernel) emit(m simd) {
	TEXT(r.name+m.suffix, NOSPLIT, "func(p *uint64)")
	p := Load(Param("p"), GP64())
	address := func(k int) Mem { return Mem{Base: p, Disp: 16 + 16*k} }
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
	if r.ahead > 0 {
		t, bytes := GP64(), GP64()
		MOVQ(address(r.ahead), t)
		MOVQ(Mem{Base: p}, bytes)
		SHLQ(U8(4), bytes)
		Label("ahead")
		PREFETCHT0(Mem{Base: t})
		ADDQ(U8(64), t)
		SUBQ(U8(64), bytes)
		JG(LabelRef("ahead"))
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
		MOVQ(Mem{Base: p, Disp: 24 + 16*i}, step)
		ADDQ(step, address(i))
	}
	DECQ(Mem{Base: p, Disp: 8})
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// Operands of the LSTM's kernels, in the order of cpu/vec/rows_amd64.go; four gates stand side by side.
const (
	lstmProducts = 4 * iota
	lstmInput
	lstmBias
	lstmActs
	lstmCell
)

const (
	lstmNewCell = lstmCell + 1 + iota
	lstmState
	lstmCopy
	lstmCopy2
	lstmAhead
	lstmOperands
)

// lstm is a time of an LSTM: cpu/vec/lstm.go has the formulas.
func (m simd) lstm(get func(int) V, put func(int, V)) {
	gate := func(g int, f func(V) V) V {
		y := f(m.add(m.add(get(lstmProducts+g), get(lstmInput+g)), get(lstmBias+g)))
		put(lstmActs+g, y)
		return y
	}
	c := m.mul(gate(0, m.sigmoid), gate(2, m.tanh))
	c = m.fma(gate(1, m.sigmoid), get(lstmCell), c)
	put(lstmNewCell, c)
	h := m.mul(gate(3, m.sigmoid), m.tanh(c))
	put(lstmState, h)
	put(lstmCopy, h)
	put(lstmCopy2, h)
}

// Operands of the LSTM's gradient.
const (
	lstmGradActs = 4 * iota
	lstmGradGates
	lstmGradCopy
	lstmGradSum
	lstmGradCell
)

const (
	lstmGradBefore = lstmGradCell + 1 + iota
	lstmGradDH
	lstmGradDC
	lstmGradNewDC
	lstmGradSeq
)

// lstmGrad is a time of an LSTM's gradient, with the gradient of a sequence of states or without.
func lstmGrad(sequence bool) func(m simd, get func(int) V, put func(int, V)) {
	return func(m simd, get func(int) V, put func(int, V)) {
		gate := func(g int, d V) {
			put(lstmGradGates+g, d)
			put(lstmGradCopy+g, d)
			put(lstmGradSum+g, m.add(d, get(lstmGradSum+g)))
		}
		bySigmoid := func(d, y V) V { return m.mul(d, m.fnma(y, y, y)) }
		byTanh := func(d, y V) V { return m.mul(d, m.fnma(y, y, m.load(num(1)))) }
		t, dh := m.tanh(get(lstmGradCell)), get(lstmGradDH)
		if sequence {
			dh = m.add(dh, get(lstmGradSeq))
			put(lstmGradDH, dh)
		}
		o := get(lstmGradActs + 3)
		gate(3, bySigmoid(m.mul(dh, t), o))
		dc := m.add(byTanh(m.mul(dh, o), t), get(lstmGradDC))
		i, g := get(lstmGradActs), get(lstmGradActs+2)
		gate(0, bySigmoid(m.mul(dc, g), i))
		gate(2, byTanh(m.mul(dc, i), g))
		f := get(lstmGradActs + 1)
		gate(1, bySigmoid(m.mul(dc, get(lstmGradBefore)), f))
		put(lstmGradNewDC, m.mul(dc, f))
	}
}

var rowKernels = []rowKernel{
	{"lstm", lstmOperands, lstmAhead, simd.lstm},
	{"lstmGrad", lstmGradSeq, 0, lstmGrad(false)},
	{"lstmGradSequence", lstmGradSeq + 1, 0, lstmGrad(true)},
}
