package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// convKernels move numbers between images and the forms that convolutions compute on: patches, and columns a stride apart.
func convKernels() {
	movePatches256()
	deal256()
	interleave256()
	maxPairs256()
	for terms := 1; terms <= 4; terms++ {
		combine256(terms)
	}
	prefetchRows()
}

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
	pairs(n, []pairStream{{src, 8}, {even, 4}, {odd, 4}}, func() {
		VMOVUPS(Mem{Base: src}, Y0)
		VMOVUPS(Mem{Base: src, Disp: 32}, Y1)
		VSHUFPS(U8(0x88), Y1, Y0, Y2)
		VSHUFPS(U8(0xdd), Y1, Y0, Y3)
		VPERMPD(U8(0xd8), Y2, Y2)
		VPERMPD(U8(0xd8), Y3, Y3)
		VMOVUPS(Y2, Mem{Base: even})
		VMOVUPS(Y3, Mem{Base: odd})
	}, func() {
		VMOVUPS(Mem{Base: src}, X0)
		VMOVUPS(Mem{Base: src, Disp: 16}, X1)
		VSHUFPS(U8(0x88), X1, X0, X2)
		VSHUFPS(U8(0xdd), X1, X0, X3)
		VMOVUPS(X2, Mem{Base: even})
		VMOVUPS(X3, Mem{Base: odd})
	}, func() {
		VMOVSS(Mem{Base: src}, X0)
		VMOVSS(Mem{Base: src, Disp: 4}, X1)
		VMOVSS(X0, Mem{Base: even})
		VMOVSS(X1, Mem{Base: odd})
	})
}

// interleave256 writes n elements of even and of odd in turn.
func interleave256() {
	TEXT("interleave256", NOSPLIT, "func(dst, even, odd *float32, n uint64)")
	dst, even, odd, n := Load(Param("dst"), GP64()), Load(Param("even"), GP64()), Load(Param("odd"), GP64()), Load(Param("n"), GP64())
	pairs(n, []pairStream{{dst, 8}, {even, 4}, {odd, 4}}, func() {
		VMOVUPS(Mem{Base: even}, Y0)
		VMOVUPS(Mem{Base: odd}, Y1)
		VUNPCKLPS(Y1, Y0, Y2)
		VUNPCKHPS(Y1, Y0, Y3)
		VPERM2F128(U8(0x20), Y3, Y2, Y0)
		VPERM2F128(U8(0x31), Y3, Y2, Y1)
		VMOVUPS(Y0, Mem{Base: dst})
		VMOVUPS(Y1, Mem{Base: dst, Disp: 32})
	}, func() {
		VMOVUPS(Mem{Base: even}, X0)
		VMOVUPS(Mem{Base: odd}, X1)
		VUNPCKLPS(X1, X0, X2)
		VUNPCKHPS(X1, X0, X3)
		VMOVUPS(X2, Mem{Base: dst})
		VMOVUPS(X3, Mem{Base: dst, Disp: 16})
	}, func() {
		VMOVSS(Mem{Base: even}, X0)
		VMOVSS(Mem{Base: odd}, X1)
		VMOVSS(X0, Mem{Base: dst})
		VMOVSS(X1, Mem{Base: dst, Disp: 4})
	})
}

// maxPairs256 finds the largest of each 2×2 block of rows a and b, 2n numbers each, and its place: first is that of a[0], below
// the distance to b's. Of equal numbers the first wins, and a NaN wins over numbers.
func maxPairs256() {
	TEXT("maxPairs256", NOSPLIT, "func(y *float32, places *int32, a, b *float32, n, first, below uint64)")
	lanes := GLOBL("maxPairLanes", RODATA|NOPTR)
	for i := range 8 {
		DATA(4*i, U32(2*i))
	}
	y, places := Load(Param("y"), GP64()), Load(Param("places"), GP64())
	a, b, n := Load(Param("a"), GP64()), Load(Param("b"), GP64()), Load(Param("n"), GP64())
	first, below := Load(Param("first"), GP64()), Load(Param("below"), GP64())
	under := GP64()
	r := ys[:]
	// best chooses among r[2], r[3] of row a and r[6], r[7] of row b; it leaves the number in r[2] and its place in r[8].
	best := func() {
		broadcast := func(from Register, i int) {
			VMOVD(from.(GP).As32(), r[i].AsX())
			VPBROADCASTD(r[i].AsX(), r[i])
		}
		take := func(v, place int) {
			VCMPPS(U8(0x16), r[2], r[v], r[12]) // not at most the best so far, or one of them is NaN
			VCMPPS(U8(7), r[2], r[2], r[13])    // the best so far is a number
			VANDPS(r[13], r[12], r[12])
			VBLENDVPS(r[12], r[v], r[2], r[2])
			VBLENDVPS(r[12], r[place], r[8], r[8])
		}
		VMOVDQU(lanes, r[11])
		VPCMPEQD(r[10], r[10], r[10]) // -1
		broadcast(first, 8)
		VPADDD(r[11], r[8], r[8])
		VPSUBD(r[10], r[8], r[9])
		LEAQ(Mem{Base: first, Index: below, Scale: 1}, under)
		take(3, 9)
		broadcast(under, 9)
		VPADDD(r[11], r[9], r[9])
		take(6, 9)
		VPSUBD(r[10], r[9], r[9])
		take(7, 9)
	}
	eight := func(row Register, even, odd int) {
		VMOVUPS(Mem{Base: row}, Y0)
		VMOVUPS(Mem{Base: row, Disp: 32}, Y1)
		VSHUFPS(U8(0x88), Y1, Y0, r[even])
		VSHUFPS(U8(0xdd), Y1, Y0, r[odd])
		VPERMPD(U8(0xd8), r[even], r[even])
		VPERMPD(U8(0xd8), r[odd], r[odd])
	}
	four := func(row Register, even, odd int) {
		VMOVUPS(Mem{Base: row}, X0)
		VMOVUPS(Mem{Base: row, Disp: 16}, X1)
		VSHUFPS(U8(0x88), X1, X0, r[even].AsX())
		VSHUFPS(U8(0xdd), X1, X0, r[odd].AsX())
	}
	one := func(row Register, even, odd int) {
		VMOVSS(Mem{Base: row}, r[even].AsX())
		VMOVSS(Mem{Base: row, Disp: 4}, r[odd].AsX())
	}
	pairs(n, []pairStream{{a, 8}, {b, 8}, {y, 4}, {places, 4}, {first, 2}}, func() {
		eight(a, 2, 3)
		eight(b, 6, 7)
		best()
		VMOVUPS(Y2, Mem{Base: y})
		VMOVDQU(Y8, Mem{Base: places})
	}, func() {
		four(a, 2, 3)
		four(b, 6, 7)
		best()
		VMOVUPS(X2, Mem{Base: y})
		VMOVDQU(X8, Mem{Base: places})
	}, func() {
		one(a, 2, 3)
		one(b, 6, 7)
		best()
		VMOVSS(X2, Mem{Base: y})
		VMOVD(X8, Mem{Base: places})
	})
}

// combine256 writes rows × count vectors of n floats, a multiple of 8, each the sum of so many others times their coefficients:
// the linear forms of a bilinear algorithm. Its argument block is cpu.combineArgs.
func combine256(terms int) {
	const oDst, oSrc, oCoef, oN, oCount, oDstStep, oSrcStep, oRowCount, oDstRow, oSrcRow = 0, 8, 40, 56, 64, 72, 80, 88, 96, 104
	TEXT(fmt.Sprintf("combine%d", terms), NOSPLIT, "func(p *uint64)")
	p := Load(Param("p"), GP64()).(GPVirtual)
	load := loader(p)
	dst, n, dstStep, srcStep := load(oDst), load(oN), load(oDstStep), load(oSrcStep)
	var src []GPVirtual
	for i := range terms {
		src = append(src, load(oSrc+8*i))
		VBROADCASTSS(Mem{Base: p, Disp: oCoef + 4*i}, ys[8+i])
	}
	SHLQ(U8(2), n)
	at, count := GP64(), GP64()
	Label("row")
	MOVQ(Mem{Base: p, Disp: oCount}, count)
	Label("vector")
	XORQ(at, at)
	Label("eight")
	VMULPS(Mem{Base: src[0], Index: at, Scale: 1}, Y8, Y0)
	for i := 1; i < terms; i++ {
		VFMADD231PS(Mem{Base: src[i], Index: at, Scale: 1}, ys[8+i], Y0)
	}
	VMOVUPS(Y0, Mem{Base: dst, Index: at, Scale: 1})
	ADDQ(U8(32), at)
	CMPQ(at, n)
	JLT(LabelRef("eight"))
	ADDQ(dstStep, dst)
	for _, s := range src {
		ADDQ(srcStep, s)
	}
	DECQ(count)
	JNZ(LabelRef("vector"))
	ADDQ(Mem{Base: p, Disp: oDstRow}, dst)
	for _, s := range src {
		ADDQ(Mem{Base: p, Disp: oSrcRow}, s)
	}
	DECQ(Mem{Base: p, Disp: oRowCount})
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// prefetchRows asks for the cache lines of rows of so many bytes, stride bytes apart.
func prefetchRows() {
	TEXT("prefetchRows", NOSPLIT, "func(p *float32, rows, stride, bytes uint64)")
	p, rows := Load(Param("p"), GP64()), Load(Param("rows"), GP64())
	stride, bytes := Load(Param("stride"), GP64()), Load(Param("bytes"), GP64())
	at, end := GP64(), GP64()
	Label("row")
	MOVQ(p, at)
	LEAQ(Mem{Base: p, Index: bytes, Scale: 1}, end)
	Label("line")
	PREFETCHT0(Mem{Base: at})
	ADDQ(U8(64), at)
	CMPQ(at, end)
	JLT(LabelRef("line"))
	ADDQ(stride, p)
	DECQ(rows)
	JNZ(LabelRef("row"))
	RET()
}

// pairStream is a pointer that moves on by so many bytes a pair.
type pairStream struct {
	at   Register
	size int
}

// pairs runs eight, four or one pair at a time. The rest behind the last eight, or four, is done by going back, so that every
// vector is whole: masked stores are slow on some processors.
func pairs(n Register, streams []pairStream, eight, four, one func()) {
	advance := func(count int) {
		for _, s := range streams {
			ADDQ(U32(uint32(s.size*count)), s.at)
		}
	}
	back := func(count int) { // by count - n pairs
		missing, by := GP64(), GP64()
		MOVQ(U32(uint32(count)), missing)
		SUBQ(n, missing)
		for _, s := range streams {
			IMUL3Q(U8(uint8(s.size)), missing, by)
			SUBQ(by, s.at)
		}
	}
	CMPQ(n, U8(8))
	JLT(LabelRef("small"))
	Label("loop8")
	eight()
	advance(8)
	SUBQ(U8(8), n)
	CMPQ(n, U8(8))
	JGE(LabelRef("loop8"))
	TESTQ(n, n)
	JZ(LabelRef("done"))
	back(8)
	eight()
	JMP(LabelRef("done"))

	Label("small")
	CMPQ(n, U8(4))
	JLT(LabelRef("single"))
	four()
	advance(4)
	SUBQ(U8(4), n)
	JZ(LabelRef("done"))
	back(4)
	four()
	JMP(LabelRef("done"))

	Label("single")
	one()
	advance(1)
	DECQ(n)
	JNZ(LabelRef("single"))
	Label("done")
	VZEROUPPER()
	RET()
}
