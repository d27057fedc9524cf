package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Byte offsets of gemm.tileArgs behind its Args.
const (
	oSums   = oRows + 8*rows512
	oHeight = oSums + 8
	oLDC    = oSums + 16
	oConfig = oSums + 24
)

// amxKernels generates cpu/gemm/amx_amd64.s: products of pairs of bfloat16 on the tiles of AMX, and their register peak.
func amxKernels() {
	for _, rows := range []int{2, 1} {
		for _, cols := range []int{2, 1} {
			tilesAMX(rows, cols)
		}
	}
	peakAMX()
}

// vex writes an instruction of three operands whose bytes begin with VEX.128.0F38.W0, as neither avo nor Go's assembler knows those
// of AMX (Intel's manual, volume 2, TDPBF16PS and its neighbours). pp is 0, or 2 for F3, 3 for F2; v, x and b are what the prefix
// holds inverted: the register of VEX.vvvv and the high bits of index and base. rest are ModRM and, if there is one, SIB.
func vex(comment string, pp, v, x, b, opcode int, rest ...int) {
	Comment(comment)
	word := uint32(0xc4) | uint32((1^x)<<6|(1^b)<<5|0x82)<<8 | uint32((^v&15)<<3|pp)<<16 | uint32(opcode)<<24
	Instruction(&ir.Instruction{Opcode: "LONG", Operands: []Op{U32(word)}})
	if len(rest) == 2 {
		Instruction(&ir.Instruction{Opcode: "WORD", Operands: []Op{U16(rest[0] | rest[1]<<8)}})
		return
	}
	Instruction(&ir.Instruction{Opcode: "BYTE", Operands: []Op{U8(rest[0])}})
}

// number is a general register's in an instruction.
func number(r GPPhysical) int { return int(r.PhysicalIndex()) }

func ldtilecfg(base GPPhysical) {
	vex(fmt.Sprintf("LDTILECFG (%s)", base.Asm()), 0, 0, 0, number(base)>>3, 0x49, number(base)&7)
}

func tilerelease() { vex("TILERELEASE", 0, 0, 0, 0, 0x49, 0xc0) }

func tilezero(t int) { vex(fmt.Sprintf("TILEZERO T%d", t), 3, 0, 0, 0, 0x49, 0xc0|t<<3) }

// tileloadd loads tile t, whose rows are stride apart; tilestored stores one.
func tileloadd(base, stride GPPhysical, t int) {
	tileMemory(fmt.Sprintf("TILELOADD (%s)(%s*1), T%d", base.Asm(), stride.Asm(), t), 3, base, stride, t)
}

func tilestored(t int, base, stride GPPhysical) {
	tileMemory(fmt.Sprintf("TILESTORED T%d, (%s)(%s*1)", t, base.Asm(), stride.Asm()), 2, base, stride, t)
}

func tileMemory(comment string, pp int, base, stride GPPhysical, t int) {
	b, s := number(base), number(stride)
	if b&7 == 5 || s == 4 {
		panic(comment + ": this base wants a displacement, or this register is no index")
	}
	vex(comment, pp, 0, s>>3, b>>3, 0x4b, t<<3|4, s&7<<3|b&7)
}

// tdpbf16ps adds the product of the tiles a and b to c.
func tdpbf16ps(b, a, c int) {
	vex(fmt.Sprintf("TDPBF16PS T%d, T%d, T%d", b, a, c), 2, b, 0, 0, 0x5c, 0xc0|c<<3|a)
}

// tilesAMX writes t{16 rows}x{16 cols}: Args.Tiles blocks of C, of up to so many rows and columns, below each other. Up to four tiles
// hold sums (T0 T1 above T2 T3), two rows of A (T4, T5), two panels of B (T6, T7); the configuration says how many rows and columns
// there are. The sums go to memory of their own, and from there row by row through the flags' work to C.
//
// The tiles are configured and released within the call: whatever thread a goroutine runs on next, they are nobody's.
func tilesAMX(rows, cols int) {
	TEXT(fmt.Sprintf("t%dx%d", 16*rows, 16*cols), NOSPLIT, "func(p *uint64)")
	Load(Param("p"), RAX)
	p := func(offset int) Mem { return Mem{Base: RAX, Disp: offset} }
	MOVL(p(oMask), ECX)
	KMOVW(ECX, K1)
	SHRL(U8(16), ECX)
	KMOVW(ECX, K2)
	LEAQ(p(oConfig), RBX)
	ldtilecfg(RBX)
	MOVQ(p(oSAM), RCX)
	MOVQ(p(oSBK), RDI)
	MOVQ(U32(128), R11)
	MOVQ(p(oA), R13)
	MOVQ(p(oC), R12)
	MOVQ(p(oRowBias), R14)
	MOVQ(p(oTiles), R15)
	Label("tile")
	sumsAMX(rows, cols, p)
	storeAMX(cols, p)
	ADDQ(p(oTileA), R13)
	DECQ(R15)
	JNZ(LabelRef("tile"))
	tilerelease()
	VZEROUPPER()
	RET()
}

// sumsAMX multiplies: A from R13 on, rows RCX apart; B from its beginning, steps of K RDI apart. Its last act is to store the sums.
func sumsAMX(rows, cols int, p func(int) Mem) {
	a, b := []GPPhysical{RBX, RDX}, []GPPhysical{RSI, R8}
	MOVQ(R13, RBX)
	MOVQ(p(oB), RSI)
	if rows == 2 {
		MOVQ(RCX, RDX)
		SHLQ(U8(4), RDX)
		ADDQ(RBX, RDX)
	}
	if cols == 2 {
		LEAQ(Mem{Base: RSI, Disp: 64}, R8)
	}
	each := func(f func(r, c int)) {
		for r := range rows {
			for c := range cols {
				f(r, c)
			}
		}
	}
	each(func(r, c int) { tilezero(2*r + c) })
	MOVQ(RDI, R10)
	SHLQ(U8(4), R10)
	MOVQ(p(oK), R9)
	SHRQ(U8(4), R9)
	JZ(LabelRef("sums"))
	Label("step")
	each(func(r, c int) {
		if r == 0 {
			tileloadd(b[c], RDI, 6+c)
		}
		if c == 0 {
			tileloadd(a[r], RCX, 4+r)
		}
		tdpbf16ps(6+c, 4+r, 2*r+c)
	})
	for r := range rows {
		ADDQ(U8(64), a[r])
	}
	for c := range cols {
		ADDQ(R10, b[c])
	}
	DECQ(R9)
	JNZ(LabelRef("step"))
	Label("sums")
	MOVQ(p(oSums), RSI)
	each(func(r, c int) {
		LEAQ(Mem{Base: RSI, Disp: 128*16*r + 64*c}, R8)
		tilestored(2*r+c, R8, R11)
	})
}

// storeAMX goes through the sums from RSI on, row by row: the flags' work, and the store to C from R12 on.
func storeAMX(cols int, p func(int) Mem) {
	ks := []OpmaskPhysical{K1, K2}
	each := func(f func(c int)) {
		for c := range cols {
			f(c)
		}
	}
	when := func(flag int, otherwise string) {
		TESTQ(U32(flag), R9)
		JZ(LabelRef(otherwise))
	}
	MOVQ(p(oFlags), R9)
	MOVQ(p(oHeight), R10)
	MOVQ(p(oAux), RDX) // from an element of C to that of Aux
	SUBQ(p(oC), RDX)
	VPXORD(Z28, Z28, Z28)
	when(flagBias, "row")
	MOVQ(p(oBias), RBX)
	each(func(c int) { VMOVUPS_Z(Mem{Base: RBX, Disp: 64 * c}, ks[c], zs[2+c]) })
	Label("row")
	each(func(c int) { VMOVUPS_Z(Mem{Base: RSI, Disp: 64 * c}, ks[c], zs[c]) })
	when(flagAccumulate, "bias")
	each(func(c int) {
		VMOVUPS_Z(Mem{Base: R12, Disp: 64 * c}, ks[c], zs[4+c])
		VADDPS(zs[4+c], zs[c], zs[c])
	})
	Label("bias")
	when(flagBias, "rowbias")
	each(func(c int) { VADDPS(zs[2+c], zs[c], zs[c]) })
	Label("rowbias")
	when(flagRowBias, "relu")
	VBROADCASTSS(Mem{Base: R14}, Z4)
	each(func(c int) { VADDPS(Z4, zs[c], zs[c]) })
	Label("relu")
	when(flagReLU, "mask")
	each(func(c int) { VMAXPS(zs[c], Z28, zs[c]) }) // in this order a NaN stays
	Label("mask")
	when(flagMaskReLU, "store")
	LEAQ(Mem{Base: RDX, Index: R12, Scale: 1}, RBX)
	each(func(c int) {
		VMOVUPS_Z(Mem{Base: RBX, Disp: 64 * c}, ks[c], zs[4+c])
		VCMPPS(U8(0x1e), Z28, zs[4+c], K3)
		VMOVAPS_Z(zs[c], K3, zs[c])
	})
	Label("store")
	each(func(c int) { VMOVUPS(zs[c], ks[c], Mem{Base: R12, Disp: 64 * c}) })
	ADDQ(U32(128), RSI)
	ADDQ(p(oLDC), R12)
	ADDQ(U8(4), R14)
	DECQ(R10)
	JNZ(LabelRef("row"))
}

// peakAMX keeps six independent sums busy, n rounds of a product each: the register peak. config describes full tiles.
func peakAMX() {
	TEXT("peakAMX", NOSPLIT, "func(config *byte, n uint64)")
	Load(Param("config"), RAX)
	Load(Param("n"), RCX)
	ldtilecfg(RAX)
	for t := range 8 {
		tilezero(t)
	}
	Label("l")
	for t := range 6 {
		tdpbf16ps(7, 6, t)
	}
	DECQ(RCX)
	JNZ(LabelRef("l"))
	tilerelease()
	RET()
}
