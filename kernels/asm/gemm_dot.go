package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// dot256 writes d{mr}x{nr}: C[r][j] (+)= the dot product of row r of A and row j of B, both contiguous along K.
// A's rows are SAM bytes apart, B's SBK; Edge masks nr lanes. Flags as in a tile.
func dot256(mr, nr int) {
	TEXT(fmt.Sprintf("d%dx%d", mr, nr), NOSPLIT, "func(p *uint64)")
	p := Load(Param("p"), GP64()).(GPVirtual)
	load := loader(p)
	acc := func(r, j int) VecPhysical { return ys[r*nr+j] }
	av, bv := []VecPhysical{Y12, Y13, Y14}, Y15
	a, b, sa, sb, sb3 := load(oA), load(oB), load(oSAM), load(oSBK), GP64()
	LEAQ(Mem{Base: sb, Index: sb, Scale: 2}, sb3)
	for i := range mr * nr {
		VXORPS(ys[i], ys[i], ys[i])
	}
	arow := func(r int) Mem { return strided(a, sa, sb3, sb3, r) } // r < 3
	brow := func(j int) Mem { return strided(b, sb, sb3, sb3, j) } // j < 4
	k := load(oK)
	SHRQ(U8(3), k)
	JZ(LabelRef("tail"))
	Label("loop")
	for r := range mr {
		VMOVUPS(arow(r), av[r])
	}
	for j := range nr {
		VMOVUPS(brow(j), bv)
		for r := range mr {
			VFMADD231PS(bv, av[r], acc(r, j))
		}
	}
	ADDQ(U8(32), a)
	ADDQ(U8(32), b)
	DECQ(k)
	JNZ(LabelRef("loop"))
	Label("tail")
	rest, mask := load(oK), GP64()
	ANDQ(U8(7), rest)
	JZ(LabelRef("sum"))
	LEAQ(laneMask, mask)
	SHLQ(U8(2), rest)
	SUBQ(rest, mask)
	maskAt := Mem{Base: mask, Disp: 32}
	VMOVUPS(maskAt, bv)
	for r := range mr {
		VMASKMOVPS(arow(r), bv, av[r])
	}
	for j := range nr {
		if j > 0 {
			VMOVUPS(maskAt, bv)
		}
		VMASKMOVPS(brow(j), bv, bv)
		for r := range mr {
			VFMADD231PS(bv, av[r], acc(r, j))
		}
	}
	Label("sum")
	sumLanes(acc, mr, nr)
	storeDot(p, load, mr)
}

// sumLanes adds up the lanes of each sum: row r's sums go to the four lanes of register r.
func sumLanes(acc func(r, j int) VecPhysical, mr, nr int) {
	zero := Y15
	VXORPS(zero, zero, zero)
	at := func(r, j int) VecPhysical {
		if j < nr {
			return acc(r, j)
		}
		return zero
	}
	for r := range mr { // row r's own registers start at r*nr >= r, so nothing is overwritten too early
		VHADDPS(at(r, 1), at(r, 0), Y12)
		VHADDPS(at(r, 3), at(r, 2), Y13)
		VHADDPS(Y13, Y12, Y12)
		VEXTRACTF128(U8(1), Y12, X13)
		VADDPS(X13, X12, xs[r])
	}
}

// storeDot does the flags' work on rows of up to four results in the registers from X0 on, and stores them.
func storeDot(p GPVirtual, load func(int) GPVirtual, mr int) {
	zero, mask, tmp := X12, X13, X14
	table, edge := GP64(), load(oEdge)
	LEAQ(laneMask, table)
	VMOVUPS(Mem{Base: table, Index: edge, Scale: 1}, mask)
	c, fl, t := load(oC), load(oFlags), GP64()
	each := func(base Register, f func(r int, m Mem)) {
		for r := range mr {
			MOVQ(Mem{Base: p, Disp: oRows + 8*r}, t)
			f(r, Mem{Base: base, Index: t, Scale: 1})
		}
	}
	TESTQ(U32(flagAccumulate), fl)
	JZ(LabelRef("bias"))
	each(c, func(r int, m Mem) {
		VMASKMOVPS(m, mask, tmp)
		VADDPS(tmp, xs[r], xs[r])
	})
	Label("bias")
	TESTQ(U32(flagBias), fl)
	JZ(LabelRef("rowbias"))
	VMASKMOVPS(Mem{Base: load(oBias)}, mask, tmp)
	for r := range mr {
		VADDPS(tmp, xs[r], xs[r])
	}
	Label("rowbias")
	TESTQ(U32(flagRowBias), fl)
	JZ(LabelRef("relu"))
	rowBias := load(oRowBias)
	for r := range mr {
		VBROADCASTSS(Mem{Base: rowBias, Disp: 4 * r}, tmp)
		VADDPS(tmp, xs[r], xs[r])
	}
	Label("relu")
	VXORPS(zero, zero, zero)
	TESTQ(U32(flagReLU), fl)
	JZ(LabelRef("mask"))
	for r := range mr {
		VMAXPS(xs[r], zero, xs[r])
	}
	Label("mask")
	TESTQ(U32(flagMaskReLU), fl)
	JZ(LabelRef("store"))
	each(load(oAux), func(r int, m Mem) {
		VMASKMOVPS(m, mask, tmp)
		VCMPPS(U8(0x1e), zero, tmp, tmp)
		VANDPS(tmp, xs[r], xs[r])
	})
	Label("store")
	each(c, func(r int, m Mem) { VMASKMOVPS(xs[r], mask, m) })
	VZEROUPPER()
	RET()
}
