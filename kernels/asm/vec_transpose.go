package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// transpose8 writes the transposes of n squares of 8x8; ld, and steps from one square to the next, in elements.
func transpose8() {
	TEXT("transpose8", NOSPLIT, "func(dst, src *float32, ldd, lds, n, dstep, sstep int)")
	d, s := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	ldd, lds, n := Load(Param("ldd"), GP64()), Load(Param("lds"), GP64()), Load(Param("n"), GP64())
	dstep, sstep := Load(Param("dstep"), GP64()), Load(Param("sstep"), GP64())
	SHLQ(U8(2), ldd)
	SHLQ(U8(2), lds)
	ld3, s4, d4 := GP64(), GP64(), GP64()
	Label("square")
	rows := func(base, four, ld Register, f func(i int, p Mem)) {
		LEAQ(Mem{Base: ld, Index: ld, Scale: 2}, ld3)
		LEAQ(Mem{Base: base, Index: ld, Scale: 4}, four)
		for i, b := range []Register{base, base, base, base, four, four, four, four} {
			p := Mem{Base: b}
			switch i % 4 {
			case 1, 2:
				p.Index, p.Scale = ld, uint8(i%4)
			case 3:
				p.Index, p.Scale = ld3, 1
			}
			f(i, p)
		}
	}
	m := simds[0]
	x := make([]V, 8)
	rows(s, s4, lds, func(i int, p Mem) { x[i] = m.loadAt(p) })
	lo, hi := m.transpose4(x[:4]), m.transpose4(x[4:]) // columns 0-3 in the low 128 bits, 4-7 in the high
	rows(d, d4, ldd, func(i int, p Mem) {
		y := m.reg()
		if i < 4 {
			VINSERTF128(U8(1), hi[i].AsX(), lo[i], y)
		} else {
			VPERM2F128(U8(0x31), hi[i-4], lo[i-4], y)
		}
		VMOVUPS(y, p)
	})
	LEAQ(Mem{Base: s, Index: sstep, Scale: 4}, s)
	LEAQ(Mem{Base: d, Index: dstep, Scale: 4}, d)
	DECQ(n)
	JNZ(LabelRef("square"))
	VZEROUPPER()
	RET()
}
