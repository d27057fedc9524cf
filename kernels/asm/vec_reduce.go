package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The tree of sums: cpu/vec/reduce_generic.go defines it, for all tiers.
const (
	treeLanes = 64
	treeBlock = 4096
)

func (m simd) reductions() {
	m.sum("sum", "func(x []float32) float32", "x", "x", func(acc V, x, _ V) { VADDPS(x, acc, acc) })
	m.sum("dot", "func(a, b []float32) float32", "a", "b", func(acc V, x, y V) { VADDPS(m.mul(x, y), acc, acc) })
	m.extreme("max", gt, minusInf)
	m.extreme("min", lt, infinity)
	m.allFinite()
	m.columnSum()
	m.uint8ToFloat32()
}

// sum writes a reduction over one or two slices; step adds their vectors to an accumulator.
func (m simd) sum(name, signature, a, b string, step func(acc, x, y V)) {
	TEXT(name+m.suffix, NOSPLIT, signature)
	p := map[string]Register{}
	var n GPVirtual
	for _, s := range unique([]string{a, b}) {
		p[s] = Load(Param(s).Base(), GP64())
		l := Load(Param(s).Len(), GP64()).(GPVirtual)
		if n == nil {
			n = l
			continue
		}
		CMPQ(l, n)
		CMOVQLT(l, n)
	}
	advance := func(v int) {
		for _, s := range unique([]string{a, b}) {
			ADDQ(I32(v*m.bytes()), p[s])
		}
	}
	add := func(acc V, load func(s string) V) {
		x := load(a)
		y := x
		if b != a {
			y = load(b)
		}
		step(acc, x, y)
	}
	total := XMM()
	VXORPD(total, total, total)
	left, block := GP64(), GP64()
	acc := make([]V, treeLanes/m.lanes)
	for j := range acc {
		acc[j] = m.reg()
	}

	Label("block")
	TESTQ(n, n)
	JLE(LabelRef("done"))
	MOVQ(U32(treeBlock), block)
	CMPQ(n, block)
	CMOVQLT(n, block)
	SUBQ(block, n)
	MOVQ(block, left)
	for _, v := range acc {
		if m.wide() {
			VPXORD(v, v, v)
		} else {
			VXORPS(v, v, v)
		}
	}
	Label("turn")
	CMPQ(left, U32(treeLanes))
	JLT(LabelRef("rest"))
	for j, v := range acc {
		add(v, func(s string) V { return m.loadAt(Mem{Base: p[s], Disp: j * m.bytes()}) })
	}
	advance(len(acc))
	SUBQ(U32(treeLanes), left)
	JMP(LabelRef("turn"))
	Label("rest")
	for j, v := range acc {
		TESTQ(left, left)
		JLE(LabelRef("fold"))
		CMPQ(left, U32(m.lanes))
		JLT(LabelRef(fmt.Sprintf("part%d", j)))
		add(v, func(s string) V { return m.loadAt(Mem{Base: p[s]}) })
		advance(1)
		SUBQ(U32(m.lanes), left)
	}
	JMP(LabelRef("fold"))
	for j, v := range acc { // in the last block only: pointers need not advance
		Label(fmt.Sprintf("part%d", j))
		k := m.tail(left)
		add(v, func(s string) V { return m.loadPart(k, Mem{Base: p[s]}) })
		JMP(LabelRef("fold"))
	}
	Label("fold")
	m.fold(acc, total)
	JMP(LabelRef("block"))
	Label("done")
	r := XMM()
	VCVTSD2SS(total, total, r)
	Store(r, ReturnIndex(0))
	VZEROUPPER()
	RET()
}

// fold adds the lanes of acc to total: registers in halves down to eight lanes of float32, those in float64.
func (m simd) fold(acc []V, total V) {
	for h := len(acc) / 2; h > 0; h /= 2 {
		for i := range h {
			VADDPS(acc[i+h], acc[i], acc[i])
		}
	}
	eight := acc[0].AsY()
	if m.wide() {
		high := YMM()
		VEXTRACTF64X4(U8(1), acc[0], high)
		VADDPS(high, eight, eight)
	}
	x, lo, hi := XMM(), YMM(), YMM()
	VEXTRACTF128(U8(1), eight, x)
	VCVTPS2PD(eight.(V).AsX(), lo)
	VCVTPS2PD(x, hi)
	VADDPD(hi, lo, lo)
	VEXTRACTF128(U8(1), lo, x)
	VADDPD(lo.AsX(), x, x)
	y := XMM()
	VUNPCKHPD(x, x, y)
	VADDSD(y, x, x)
	VADDSD(x, total, total)
}

func (m simd) loadAt(p Mem) V {
	d := m.reg()
	m.do(func() { VMOVUPS(p, d) })
	return d
}

// inTurns walks through n floats from p: a vector for each of the chains in turn, then single vectors for chain 0. What follows is for the
// rest, p and n being its; where there is none it goes on at the label done.
func (m simd) inTurns(p Register, n GPVirtual, chains int, step func(j int, x V)) {
	Label("turn")
	CMPQ(n, U32(chains*m.lanes))
	JLT(LabelRef("single"))
	for j := range chains {
		step(j, m.loadAt(Mem{Base: p, Disp: j * m.bytes()}))
	}
	ADDQ(U32(chains*m.bytes()), p)
	SUBQ(U32(chains*m.lanes), n)
	JMP(LabelRef("turn"))
	Label("single")
	CMPQ(n, U32(m.lanes))
	JLT(LabelRef("rest"))
	step(0, m.loadAt(Mem{Base: p}))
	ADDQ(U32(m.bytes()), p)
	SUBQ(U32(m.lanes), n)
	JMP(LabelRef("single"))
	Label("rest")
	TESTQ(n, n)
	JLE(LabelRef("done"))
}

// extreme writes each lane's maximum or minimum to lanes, NaN where the lane met one. x is not empty.
func (m simd) extreme(name string, predicate uint8, start word) {
	TEXT(name+"Lanes"+m.suffix, NOSPLIT, "func(x []float32, lanes *[16]float32)")
	p, n := Load(Param("x").Base(), GP64()), Load(Param("x").Len(), GP64()).(GPVirtual)
	const chains = 4
	var best, nan [chains]V
	for j := range chains {
		best[j] = m.copy(m.load(start))
		nan[j] = m.zero()
	}
	better := m.max
	if predicate == lt {
		better = m.min
	}
	step := func(j int, x V) {
		m.assign(best[j], better(best[j], x))
		m.assign(nan[j], m.or(nan[j], m.where(m.cmp(unordered, x, x), word(0x7fc00000))))
	}
	m.inTurns(p, n, chains, step)
	k := m.tail(n)
	step(0, m.blend(k, m.loadPart(k, Mem{Base: p}), m.load(start)))
	Label("done")
	for j := 1; j < chains; j++ {
		m.assign(best[0], better(best[0], best[j]))
		m.assign(nan[0], m.or(nan[0], nan[j]))
	}
	out := Load(Param("lanes"), GP64())
	isNaN := m.cmp(unordered, nan[0], nan[0])
	VMOVUPS(m.blend(isNaN, nan[0], best[0]), Mem{Base: out})
	VZEROUPPER()
	RET()
}

// assign sets d, which lives across a loop, to a.
func (m simd) assign(d, a V) { VMOVAPS(a, d) }

// allFinite adds up x-x, which is 0 or NaN.
func (m simd) allFinite() {
	TEXT("allFinite"+m.suffix, NOSPLIT, "func(x []float32) bool")
	p, n := Load(Param("x").Base(), GP64()), Load(Param("x").Len(), GP64()).(GPVirtual)
	const chains = 4
	var acc [chains]V
	for j := range acc {
		acc[j] = m.zero()
	}
	step := func(j int, x V) { VADDPS(m.sub(x, x), acc[j], acc[j]) }
	m.inTurns(p, n, chains, step)
	step(0, m.loadPart(m.tail(n), Mem{Base: p}))
	Label("done")
	for j := 1; j < chains; j++ {
		VADDPS(acc[j], acc[0], acc[0])
	}
	found, ok := GP32(), GP8()
	bad := m.cmp(unordered, acc[0], acc[0])
	if m.wide() {
		KMOVW(bad.k, found)
	} else {
		VMOVMSKPS(bad.y, found)
	}
	TESTL(found, found)
	SETEQ(ok)
	Store(ok, ReturnIndex(0))
	VZEROUPPER()
	RET()
}

// columnSum adds the column sums of rows rows to dst, each column in order from 0.
func (m simd) columnSum() {
	TEXT("columnSum"+m.suffix, NOSPLIT, "func(dst []float32, src *float32, rows, ld int)")
	d, n := Load(Param("dst").Base(), GP64()), Load(Param("dst").Len(), GP64()).(GPVirtual)
	src, ld := Load(Param("src"), GP64()), Load(Param("ld"), GP64())
	SHLQ(U8(2), ld)
	rows, p := GP64(), GP64()
	strip := func(label string, vectors int, load func(p Mem) V, store func(v V, p Mem)) {
		acc := make([]V, vectors)
		for v := range acc {
			acc[v] = m.zero()
		}
		MOVQ(src, p)
		Load(Param("rows"), rows)
		Label(label + "_rows")
		for v := range acc {
			VADDPS(load(Mem{Base: p, Disp: v * m.bytes()}), acc[v], acc[v])
		}
		ADDQ(ld, p)
		DECQ(rows)
		JNZ(LabelRef(label + "_rows"))
		for v := range acc {
			at := Mem{Base: d, Disp: v * m.bytes()}
			store(m.add(load(at), acc[v]), at)
		}
	}
	for _, vectors := range []int{4, 1} {
		label := fmt.Sprintf("strip%d", vectors)
		Label(label)
		CMPQ(n, U32(vectors*m.lanes))
		JLT(LabelRef(label + "_done"))
		strip(label, vectors, m.loadAt, func(v V, p Mem) { VMOVUPS(v, p) })
		ADDQ(U32(vectors*m.bytes()), d)
		ADDQ(U32(vectors*m.bytes()), src)
		SUBQ(U32(vectors*m.lanes), n)
		JMP(LabelRef(label))
		Label(label + "_done")
	}
	TESTQ(n, n)
	JLE(LabelRef("done"))
	k := m.tail(n)
	strip("part", 1, func(p Mem) V { return m.loadPart(k, p) }, func(v V, p Mem) { m.storePart(k, v, p) })
	Label("done")
	VZEROUPPER()
	RET()
}

// uint8ToFloat32 converts whole vectors; the caller does the rest.
func (m simd) uint8ToFloat32() {
	TEXT("uint8ToFloat32"+m.suffix, NOSPLIT, "func(dst []float32, src *uint8, s float32)")
	d, n := Load(Param("dst").Base(), GP64()), Load(Param("dst").Len(), GP64())
	src := Load(Param("src"), GP64())
	c, _ := Param("s").Resolve()
	scale := m.reg()
	VBROADCASTSS(c.Addr, scale)
	Label("loop")
	CMPQ(n, U32(m.lanes))
	JLT(LabelRef("done"))
	v := m.reg()
	VPMOVZXBD(Mem{Base: src}, v)
	VMOVUPS(m.mul(m.toFloat(v), scale), Mem{Base: d})
	ADDQ(U32(m.lanes), src)
	ADDQ(U32(m.bytes()), d)
	SUBQ(U32(m.lanes), n)
	JMP(LabelRef("loop"))
	Label("done")
	VZEROUPPER()
	RET()
}
