package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// random writes the kernels of Philox4x32-10 numbers; internal/philox defines each step.
func (m simd) random() {
	m.philox("uniforms", func(m simd, w []V) {
		for i, v := range w {
			w[i] = m.mul(m.toFloat(m.shr(v, 8)), num(0x1p-24))
		}
	})
	m.philox("normals", func(m simd, w []V) {
		w[0], w[1] = m.boxMuller(w[0], w[1])
		w[2], w[3] = m.boxMuller(w[2], w[3])
	})
}

// philox fills dst with turns of lanes blocks each; the caller does the rest. Lane 4i+e of the counters holds block (lanes/4)e + i of
// a turn, so that transposing within 128 bits leaves the blocks in order.
func (m simd) philox(name string, finish func(m simd, w []V)) {
	TEXT(name+m.suffix, NOSPLIT, "func(dst []float32, key0, key1, block0, row, step, stream uint32)")
	d, n := Load(Param("dst").Base(), GP64()), Load(Param("dst").Len(), GP64())
	broadcast := func(p string) V {
		c, err := Param(p).Resolve()
		if err != nil {
			panic(err)
		}
		v := m.reg()
		VBROADCASTSS(c.Addr, v)
		return v
	}
	order := make([]uint32, m.lanes)
	for i := range order {
		order[i] = uint32(i%4*(m.lanes/4) + i/4)
	}
	block := m.reg()
	VPADDD(table(order...), broadcast("block0"), block)
	odd := mask{}
	if m.wide() {
		t := GP32()
		MOVL(U32(0xaaaa), t)
		odd.k = K()
		KMOVW(t, odd.k)
	}
	turn := func(m simd, w []V, k0, k1 V) {
		for range 10 {
			h0, l0 := m.mulWide(w[0], 0xD2511F53, odd)
			h1, l1 := m.mulWide(w[2], 0xCD9E8D57, odd)
			w[0], w[1] = m.xor(m.xor(h1, w[1]), k0), l1
			w[2], w[3] = m.xor(m.xor(h0, w[3]), k1), l0
			k0, k1 = m.addInt(k0, word(0x9E3779B9)), m.addInt(k1, word(0xBB67AE85))
		}
		finish(m, w)
	}
	pins := 6
	if m.wide() {
		pins = 18
	}
	m = m.pin(pins, func(m simd) { turn(m, []V{m.reg(), m.reg(), m.reg(), m.reg()}, m.reg(), m.reg()) })
	Label("turn")
	CMPQ(n, U32(4*m.lanes))
	JLT(LabelRef("done"))
	w := []V{m.copy(block), broadcast("row"), broadcast("step"), broadcast("stream")}
	turn(m, w, broadcast("key0"), broadcast("key1"))
	for i, v := range m.transpose4(w) {
		VMOVUPS(v, Mem{Base: d, Disp: i * m.bytes()})
	}
	VPADDD(m.load(word(m.lanes)), block, block)
	ADDQ(U32(4*m.bytes()), d)
	SUBQ(U32(4*m.lanes), n)
	JMP(LabelRef("turn"))
	Label("done")
	VZEROUPPER()
	RET()
}

// mulWide returns the high and low words of a*c; the processor multiplies the even lanes only.
func (m simd) mulWide(a V, c word, odd mask) (hi, lo V) {
	k := m.load(c)
	even, s := m.reg(), m.reg()
	hi, lo = m.reg(), m.reg()
	m.do(func() {
		VPMULUDQ(k, a, even)
		VPSRLQ(U8(32), a, s)
		VPMULUDQ(k, s, s)
		VPMULLD(k, a, lo)
		VPSRLQ(U8(32), even, hi)
		if m.wide() {
			VMOVDQA32(s, odd.k, hi)
		} else {
			VPBLENDD(U8(0xaa), s, hi, hi)
		}
	})
	return hi, lo
}

// transpose4 turns words 0 to 3 of four blocks, in each 128 bits, into four whole blocks.
func (m simd) transpose4(w []V) []V {
	pair := func(f func(...Op), a, b V) V { return m.two(f, nil, a, b) }
	a, b := pair(VUNPCKLPS, w[0], w[1]), pair(VUNPCKHPS, w[0], w[1])
	c, d := pair(VUNPCKLPS, w[2], w[3]), pair(VUNPCKHPS, w[2], w[3])
	return []V{pair(VUNPCKLPD, a, c), pair(VUNPCKHPD, a, c), pair(VUNPCKLPD, b, d), pair(VUNPCKHPD, b, d)}
}

// polyRounded is poly with each product and each sum rounded on its own.
func (m simd) polyRounded(x V, c ...float64) V {
	p := m.add(m.mul(x, num(c[0])), num(c[1]))
	for _, k := range c[2:] {
		p = m.add(m.mul(p, x), num(k))
	}
	return p
}

// boxMuller is the transform of internal/philox, step by step.
func (m simd) boxMuller(a, b V) (z0, z1 V) {
	u := m.mul(m.toFloat(m.addInt(m.shr(a, 8), word(1))), num(0x1p-24))
	i := m.subInt(u, word(0x3f2aaaab))
	f := m.sub(m.subInt(u, m.and(i, word(0xff800000))), num(1))
	p := m.polyRounded(f, append(logPoly[:8:8], -0.5)...)
	l := m.add(f, m.mul(m.mul(f, f), p))
	l = m.add(l, m.mul(m.toFloat(m.sar(i, 23)), num(0.693147182)))
	r := m.sqrt(m.mul(l, num(-2)))

	t := m.shr(b, 8)
	k := m.shr(m.addInt(t, word(1<<21)), 22)
	x := m.mul(m.toFloat(m.subInt(t, m.shl(k, 22))), num(6.283185307179586/(1<<24)))
	s := m.mul(x, x)
	sin := m.add(x, m.mul(x, m.mul(s, m.polyRounded(s, -1.95172979e-4, 8.33217814e-3, -1.66666549e-1))))
	cos := m.add(m.mul(s, m.polyRounded(s, 2.44677067e-5, -1.38877297e-3, 4.16666567e-2, -0.5)), num(1))
	odd := m.negative(m.shl(k, 31))
	sin, cos = m.blend(odd, cos, sin), m.blend(odd, sin, cos)
	cos = m.xor(cos, m.shl(m.and(m.addInt(k, word(1)), word(2)), 30))
	sin = m.xor(sin, m.shl(m.and(k, word(2)), 30))
	return m.mul(r, cos), m.mul(r, sin)
}
