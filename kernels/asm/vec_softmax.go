package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// softmax writes exp(s (x - max x)) / Σ to dst: three passes over a row that is short enough to stay in the first-level cache.
func (m simd) softmax() {
	TEXT("softmax"+m.suffix, NOSPLIT, "func(dst, x []float32, s float32)")
	n := Load(Param("dst").Len(), GP64()).(GPVirtual)
	l := Load(Param("x").Len(), GP64())
	CMPQ(l, n)
	CMOVQLT(l, n)
	c, _ := Param("s").Resolve()
	scale := m.reg()
	VBROADCASTSS(c.Addr, scale)

	top := []V{m.copy(m.load(minusInf)), m.copy(m.load(minusInf))}
	m.overRow("max", "x", "x", n, func(m simd, j int, x V, _ Mem, k *mask) {
		if k != nil {
			x = m.blend(*k, x, m.load(minusInf))
		}
		m.do(func() { VMAXPS(x, top[j], top[j]) })
	})
	VMAXPS(top[1], top[0], top[0])
	m.foldLanes(top[0], func(x V) { VMAXPS(x, top[0], top[0]) })

	m = m.pin(2, func(m simd) { m.exp(m.reg(), true) })
	sum := []V{m.zero(), m.zero()}
	m.overRow("exp", "x", "dst", n, func(m simd, j int, x V, to Mem, k *mask) {
		y := m.exp(m.mul(m.sub(x, top[0]), scale), true)
		if k != nil {
			y = m.keep(*k, y)
			m.storePart(*k, y, to)
		} else {
			m.do(func() { VMOVUPS(y, to) })
		}
		m.do(func() { VADDPS(y, sum[j], sum[j]) })
	})
	VADDPS(sum[1], sum[0], sum[0])
	m.foldLanes(sum[0], func(x V) { VADDPS(x, sum[0], sum[0]) })

	share := m.div(m.load(num(1)), sum[0])
	m.overRow("scale", "dst", "dst", n, func(m simd, _ int, x V, to Mem, k *mask) {
		y := m.mul(x, share)
		if k != nil {
			m.storePart(*k, y, to)
		} else {
			m.do(func() { VMOVUPS(y, to) })
		}
	})
	VZEROUPPER()
	RET()
}

// overRow calls body for pairs of vectors with their instructions taking turns (j is 0 and 1), for a single one, and for the rest of a
// row, whose lanes k has. to is where the vector belongs in the slice out.
func (m simd) overRow(label, in, out string, n GPVirtual, body func(m simd, j int, x V, to Mem, k *mask)) {
	src, dst := Load(Param(in).Base(), GP64()), Load(Param(out).Base(), GP64())
	left := GP64()
	MOVQ(n, left)
	for _, vectors := range []int{2, 1} {
		loop := label + map[int]string{2: "_pairs", 1: "_single"}[vectors]
		Label(loop)
		CMPQ(left, U32(vectors*m.lanes))
		JLT(LabelRef(loop + "_done"))
		m.interleave(vectors, func(m simd, j int) {
			body(m, j, m.loadAt(Mem{Base: src, Disp: j * m.bytes()}), Mem{Base: dst, Disp: j * m.bytes()}, nil)
		})
		ADDQ(U32(vectors*m.bytes()), src)
		ADDQ(U32(vectors*m.bytes()), dst)
		SUBQ(U32(vectors*m.lanes), left)
		JMP(LabelRef(loop))
		Label(loop + "_done")
	}
	TESTQ(left, left)
	JLE(LabelRef(label + "_end"))
	k := m.tail(left)
	body(m, 0, m.loadPart(k, Mem{Base: src}), Mem{Base: dst}, &k)
	Label(label + "_end")
}

// foldLanes combines all lanes of v in each of them; combine takes v with its lanes in another order.
func (m simd) foldLanes(v V, combine func(x V)) {
	t := m.reg()
	if m.wide() {
		VSHUFF32X4(U8(0x4e), v, v, t)
		combine(t)
		VSHUFF32X4(U8(0xb1), v, v, t)
	} else {
		VPERM2F128(U8(1), v, v, t)
	}
	combine(t)
	VPERMILPS(U8(0x4e), v, t)
	combine(t)
	VPERMILPS(U8(0xb1), v, t)
	combine(t)
}
