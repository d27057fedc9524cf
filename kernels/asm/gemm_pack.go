package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// packRows512 copies k rows of up to 32 floats (mask) into contiguous 128-byte rows, zero-filled.
func packRows512() {
	TEXT("packRows512", NOSPLIT, "func(dst, src *float32, k, stride uint64, mask uint32)")
	d, s, k, st := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("k"), GP64()), Load(Param("stride"), GP64())
	m := Load(Param("mask"), GP32())
	KMOVW(m, K1)
	SHRL(U8(16), m)
	KMOVW(m, K2)
	Label("l")
	VMOVUPS_Z(Mem{Base: s}, K1, Z0)
	VMOVUPS_Z(Mem{Base: s, Disp: 64}, K2, Z1)
	ADDQ(st, s)
	VMOVUPS(Z0, Mem{Base: d})
	VMOVUPS(Z1, Mem{Base: d, Disp: 64})
	ADDQ(U32(128), d)
	DECQ(k)
	JNZ(LabelRef("l"))
	VZEROUPPER()
	RET()
}

// transpose512 transposes a block of up to 16 rows (n, the rest read as zero) x 16 columns; strides in bytes.
func transpose512() {
	TEXT("transpose512", NOSPLIT, "func(dst, src *float32, dstride, sstride, n uint64)")
	d, s, ds, ss := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("dstride"), GP64()), Load(Param("sstride"), GP64())
	n := Load(Param("n"), GP64()).(GPVirtual)
	for i := 0; i < 16; i++ {
		VPXORD(zs[i], zs[i], zs[i])
	}
	for i := 0; i < 16; i++ {
		VMOVUPS(Mem{Base: s}, zs[i])
		DECQ(n)
		JZ(LabelRef("go"))
		if i < 15 {
			ADDQ(ss, s)
		}
	}
	Label("go")
	for i := 0; i < 8; i++ {
		VUNPCKLPS(zs[2*i+1], zs[2*i], zs[16+2*i])
		VUNPCKHPS(zs[2*i+1], zs[2*i], zs[16+2*i+1])
	}
	for i := 0; i < 4; i++ {
		b := 16 + 4*i
		VUNPCKLPD(zs[b+2], zs[b], zs[4*i])
		VUNPCKHPD(zs[b+2], zs[b], zs[4*i+1])
		VUNPCKLPD(zs[b+3], zs[b+1], zs[4*i+2])
		VUNPCKHPD(zs[b+3], zs[b+1], zs[4*i+3])
	}
	for j := 0; j < 4; j++ { // zs[4i+j] holds, in each 128-bit lane L, column 4L+j of rows 4i..4i+3
		x0, x1, x2, x3 := zs[j], zs[4+j], zs[8+j], zs[12+j]
		VSHUFF32X4(U8(0x88), x1, x0, zs[16+j])
		VSHUFF32X4(U8(0xdd), x1, x0, zs[20+j])
		VSHUFF32X4(U8(0x88), x3, x2, zs[24+j])
		VSHUFF32X4(U8(0xdd), x3, x2, zs[28+j])
	}
	out := make([]VecPhysical, 16)
	for j := 0; j < 4; j++ {
		VSHUFF32X4(U8(0x88), zs[24+j], zs[16+j], zs[j])
		VSHUFF32X4(U8(0xdd), zs[24+j], zs[16+j], zs[8+j])
		VSHUFF32X4(U8(0x88), zs[28+j], zs[20+j], zs[4+j])
		VSHUFF32X4(U8(0xdd), zs[28+j], zs[20+j], zs[12+j])
		out[j], out[8+j], out[4+j], out[12+j] = zs[j], zs[8+j], zs[4+j], zs[12+j]
	}
	for i := 0; i < 16; i++ {
		VMOVUPS(out[i], Mem{Base: d})
		if i < 15 {
			ADDQ(ds, d)
		}
	}
	VZEROUPPER()
	RET()
}

// transpose256 transposes blocks of up to 8 rows (n, the rest become zero) x 8 columns beside each other; strides in bytes.
func transpose256() {
	TEXT("transpose256", NOSPLIT, "func(dst, src *float32, dstride, sstride, n, blocks uint64)")
	d, ds := Load(Param("dst"), GP64()), Load(Param("dstride"), GP64())
	var row [8]GPVirtual
	func() {
		s, ss, n := Load(Param("src"), GP64()), Load(Param("sstride"), GP64()), Load(Param("n"), GP64())
		for i := range row { // rows from n on read the last one: what comes of it is masked
			row[i] = GP64()
			MOVQ(s, row[i])
			if i < 7 {
				last := GP64()
				MOVQ(s, last)
				ADDQ(ss, s)
				CMPQ(n, U8(i+1))
				CMOVQLE(last, s)
			}
		}
	}()
	mask := Load(Param("n"), GP64()).(GPVirtual)
	SHLQ(U8(2), mask)
	NEGQ(mask)
	table := GP64()
	LEAQ(laneMask, table)
	ADDQ(table, mask)
	blocks := Load(Param("blocks"), GP64())
	Label("l")
	for i := range 4 { // the low halves of rows i and i+4, then the high ones
		VMOVUPS(Mem{Base: row[i]}, xs[i])
		VINSERTF128(U8(1), Mem{Base: row[i+4]}, ys[i], ys[i])
		VMOVUPS(Mem{Base: row[i], Disp: 16}, xs[4+i])
		VINSERTF128(U8(1), Mem{Base: row[i+4], Disp: 16}, ys[4+i], ys[4+i])
	}
	for i := range row {
		ADDQ(U8(32), row[i])
	}
	for h := range 2 { // a 4x4 transpose in each 128-bit half
		y := ys[4*h:]
		VUNPCKLPS(y[1], y[0], Y8)
		VUNPCKHPS(y[1], y[0], Y9)
		VUNPCKLPS(y[3], y[2], Y10)
		VUNPCKHPS(y[3], y[2], Y11)
		VUNPCKLPD(Y10, Y8, y[0])
		VUNPCKHPD(Y10, Y8, y[1])
		VUNPCKLPD(Y11, Y9, y[2])
		VUNPCKHPD(Y11, Y9, y[3])
	}
	for i := range 8 {
		VANDPS(Mem{Base: mask, Disp: 32}, ys[i], ys[i])
		VMOVUPS(ys[i], Mem{Base: d})
		ADDQ(ds, d)
	}
	DECQ(blocks)
	JNZ(LabelRef("l"))
	VZEROUPPER()
	RET()
}

// packRows256 copies k rows of four panels' 16 floats each, stride bytes apart, into panels that lie panel bytes apart.
func packRows256() {
	TEXT("packRows256", NOSPLIT, "func(dst, src *float32, k, stride, panel uint64)")
	d, s, k, st := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("k"), GP64()), Load(Param("stride"), GP64())
	ps := Load(Param("panel"), GP64())
	ps3 := GP64()
	LEAQ(Mem{Base: ps, Index: ps, Scale: 2}, ps3)
	Label("l")
	for v := range 8 {
		VMOVUPS(Mem{Base: s, Disp: 32 * v}, ys[v])
	}
	ADDQ(st, s)
	for v := range 8 {
		m := strided(d, ps, ps3, ps3, v/2)
		m.Disp = 32 * (v % 2)
		VMOVUPS(ys[v], m)
	}
	ADDQ(U8(64), d)
	DECQ(k)
	JNZ(LabelRef("l"))
	VZEROUPPER()
	RET()
}

// packEdge256 copies k rows of 16 floats, or as many as the two masks leave, into rows of 64 bytes, zero-filled.
// edge0 and edge1 are offsets into the lane masks, as Args.Edge.
func packEdge256() {
	TEXT("packEdge256", NOSPLIT, "func(dst, src *float32, k, stride, edge0, edge1 uint64)")
	d, s, k, st := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("k"), GP64()), Load(Param("stride"), GP64())
	e0, e1 := Load(Param("edge0"), GP64()), Load(Param("edge1"), GP64())
	table := GP64()
	LEAQ(laneMask, table)
	VMOVUPS(Mem{Base: table, Index: e0, Scale: 1}, Y2)
	VMOVUPS(Mem{Base: table, Index: e1, Scale: 1}, Y3)
	Label("l")
	VMASKMOVPS(Mem{Base: s}, Y2, Y0)
	VMASKMOVPS(Mem{Base: s, Disp: 32}, Y3, Y1)
	ADDQ(st, s)
	VMOVUPS(Y0, Mem{Base: d})
	VMOVUPS(Y1, Mem{Base: d, Disp: 32})
	ADDQ(U8(64), d)
	DECQ(k)
	JNZ(LabelRef("l"))
	VZEROUPPER()
	RET()
}

// packTiles256 copies k rows of four tiles' 6 floats each, stride bytes apart, into panels that lie panel bytes apart.
// It moves 8 floats for 6: the two behind are overwritten by the next row, so the caller copies the last row itself.
func packTiles256() {
	TEXT("packTiles256", NOSPLIT, "func(dst, src *float32, k, stride, panel uint64)")
	d, s, k, st := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("k"), GP64()), Load(Param("stride"), GP64())
	ps := Load(Param("panel"), GP64())
	ps3 := GP64()
	LEAQ(Mem{Base: ps, Index: ps, Scale: 2}, ps3)
	Label("l")
	for v := range 4 {
		VMOVUPS(Mem{Base: s, Disp: 24 * v}, ys[v])
	}
	ADDQ(st, s)
	for v := range 4 {
		VMOVUPS(ys[v], strided(d, ps, ps3, ps3, v))
	}
	ADDQ(U8(24), d)
	DECQ(k)
	JNZ(LabelRef("l"))
	VZEROUPPER()
	RET()
}
