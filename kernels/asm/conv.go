package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// convKernels move numbers between images and the forms that convolutions compute on: patches, and columns a stride apart.
func convKernels() {
	convMask = GLOBL("convMask", RODATA|NOPTR)
	for i := range 16 {
		lane := uint32(0)
		if i < 8 {
			lane = 0xffffffff
		}
		DATA(4*i, U32(lane))
	}
	movePatches256()
	deal256()
	interleave256()
}

// convMask has eight lanes set and eight clear: eight lanes from 8-n on keep n.
var convMask Mem

// movePatches256 writes k rows of a panel, row bytes apart. A row is n moves of 8 floats: from the row's offset in src (in floats)
// plus the move's, to the move's place in the panel (in bytes).
func movePatches256() {
	TEXT("movePatches256", NOSPLIT, "func(dst, src *float32, offs *int, k uint64, moves *uint64, n, row uint64)")
	dst, src, offs, k := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("offs"), GP64()), Load(Param("k"), GP64())
	moves, n, row := Load(Param("moves"), GP64()), Load(Param("n"), GP64()), Load(Param("row"), GP64())
	base, m, i, from, to := GP64(), GP64(), GP64(), GP64(), GP64()
	Label("rows")
	MOVQ(Mem{Base: offs}, base)
	LEAQ(Mem{Base: src, Index: base, Scale: 4}, base)
	MOVQ(moves, m)
	MOVQ(n, i)
	Label("moves")
	MOVQ(Mem{Base: m}, from)
	MOVQ(Mem{Base: m, Disp: 8}, to)
	VMOVUPS(Mem{Base: base, Index: from, Scale: 1}, Y0)
	VMOVUPS(Y0, Mem{Base: dst, Index: to, Scale: 1})
	ADDQ(U8(16), m)
	DECQ(i)
	JNZ(LabelRef("moves"))
	ADDQ(row, dst)
	ADDQ(U8(8), offs)
	DECQ(k)
	JNZ(LabelRef("rows"))
	VZEROUPPER()
	RET()
}

// deal256 writes the even and the odd elements of 2n numbers.
func deal256() {
	TEXT("deal256", NOSPLIT, "func(even, odd, src *float32, n uint64)")
	even, odd, src, n := Load(Param("even"), GP64()), Load(Param("odd"), GP64()), Load(Param("src"), GP64()), Load(Param("n"), GP64())
	split := func() {
		VSHUFPS(U8(0x88), Y1, Y0, Y2)
		VSHUFPS(U8(0xdd), Y1, Y0, Y3)
		VPERMPD(U8(0xd8), Y2, Y2)
		VPERMPD(U8(0xd8), Y3, Y3)
	}
	SUBQ(U8(8), n)
	JLT(LabelRef("tail"))
	Label("loop")
	VMOVUPS(Mem{Base: src}, Y0)
	VMOVUPS(Mem{Base: src, Disp: 32}, Y1)
	split()
	VMOVUPS(Y2, Mem{Base: even})
	VMOVUPS(Y3, Mem{Base: odd})
	ADDQ(U8(64), src)
	ADDQ(U8(32), even)
	ADDQ(U8(32), odd)
	SUBQ(U8(8), n)
	JGE(LabelRef("loop"))
	Label("tail")
	ADDQ(U8(8), n)
	JZ(LabelRef("done"))
	pairMasks(n)
	VMASKMOVPS(Mem{Base: src}, Y5, Y0)
	VMASKMOVPS(Mem{Base: src, Disp: 32}, Y6, Y1)
	split()
	VMASKMOVPS(Y2, Y4, Mem{Base: even})
	VMASKMOVPS(Y3, Y4, Mem{Base: odd})
	Label("done")
	VZEROUPPER()
	RET()
}

// interleave256 writes n elements of even and of odd in turn.
func interleave256() {
	TEXT("interleave256", NOSPLIT, "func(dst, even, odd *float32, n uint64)")
	dst, even, odd, n := Load(Param("dst"), GP64()), Load(Param("even"), GP64()), Load(Param("odd"), GP64()), Load(Param("n"), GP64())
	join := func() {
		VUNPCKLPS(Y1, Y0, Y2)
		VUNPCKHPS(Y1, Y0, Y3)
		VPERM2F128(U8(0x20), Y3, Y2, Y0)
		VPERM2F128(U8(0x31), Y3, Y2, Y1)
	}
	SUBQ(U8(8), n)
	JLT(LabelRef("tail"))
	Label("loop")
	VMOVUPS(Mem{Base: even}, Y0)
	VMOVUPS(Mem{Base: odd}, Y1)
	join()
	VMOVUPS(Y0, Mem{Base: dst})
	VMOVUPS(Y1, Mem{Base: dst, Disp: 32})
	ADDQ(U8(64), dst)
	ADDQ(U8(32), even)
	ADDQ(U8(32), odd)
	SUBQ(U8(8), n)
	JGE(LabelRef("loop"))
	Label("tail")
	ADDQ(U8(8), n)
	JZ(LabelRef("done"))
	pairMasks(n)
	VMASKMOVPS(Mem{Base: even}, Y4, Y0)
	VMASKMOVPS(Mem{Base: odd}, Y4, Y1)
	join()
	VMASKMOVPS(Y0, Y5, Mem{Base: dst})
	VMASKMOVPS(Y1, Y6, Mem{Base: dst, Disp: 32})
	Label("done")
	VZEROUPPER()
	RET()
}

// pairMasks sets Y4 to keep n < 8 lanes, Y5 and Y6 to keep 2n of sixteen.
func pairMasks(n Register) {
	table, at := GP64(), GP64()
	LEAQ(convMask.Offset(32), table)
	load := func(y VecPhysical) {
		NEGQ(at)
		VMOVUPS(Mem{Base: table, Index: at, Scale: 4}, y)
	}
	MOVQ(n, at)
	load(Y4)
	zero, eight, pairs := GP64(), GP64(), GP64()
	XORQ(zero, zero)
	MOVQ(U32(8), eight)
	LEAQ(Mem{Base: n, Index: n, Scale: 1}, pairs)
	MOVQ(pairs, at)
	CMPQ(at, U8(8))
	CMOVQGT(eight, at)
	load(Y5)
	MOVQ(pairs, at)
	SUBQ(U8(8), at)
	CMOVQLT(zero, at)
	load(Y6)
}
