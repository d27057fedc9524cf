package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Byte offsets of gemm.Args.
const (
	oA = 8 * iota
	oB
	oC
	oK
	oSegs
	oSegA
	oSAM
	oSAK
	oSBK
	oFlags
	oMask
	oEdge
	oBias
	oRowBias
	oAux
	oTiles
	oTileA
	oTileC
	oRows // and 13 more
)

// Bits of gemm.Args.Flags.
const (
	flagAccumulate = 1 << iota
	flagBias
	flagReLU
	flagMaskReLU
	flagRowBias
)

const (
	rows512, rows256 = 14, 6 // rows of the largest tile
	narrow256        = 12    // and of the largest of 8 columns
)

var zs = []VecPhysical{Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15,
	Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23, Z24, Z25, Z26, Z27, Z28, Z29, Z30, Z31}
var ys = []VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15}
var xs = []VecPhysical{X0, X1, X2, X3, X4, X5, X6, X7, X8, X9, X10, X11, X12, X13, X14, X15}

// laneMask is eight ones and eight zeros: read 4*n bytes before its middle, it is a mask of n lanes.
var laneMask Mem

// gemmKernels generates cpu/gemm/kernels_amd64.s: tiles for AVX-512 and AVX2, dot products, transposes, register peaks.
func gemmKernels() {
	laneMask = GLOBL("gemmLaneMask", RODATA|NOPTR)
	for i := range 16 {
		v := U32(0)
		if i < 8 {
			v = 0xffffffff
		}
		DATA(4*i, v)
	}
	for rows := 1; rows <= rows512; rows++ {
		tile512(rows, 2, false)
		tile512(rows, 1, false)
	}
	for rows := 1; rows <= rows256; rows++ {
		tile256(rows, 2, false)
		tile256(rows, 2, true)
	}
	for rows := 1; rows <= narrow256; rows++ {
		tile256(rows, 1, true)
	}
	for rows := 1; rows <= 3; rows++ {
		for cols := 1; cols <= 4; cols++ {
			dot256(rows, cols)
		}
	}
	packRows512()
	transpose512()
	transpose256()
	packRows256()
	packEdge256()
	packTiles256()
	peak("peak512", zs[:24], Z30, Z31)
	peak("peak256", ys[:12], Y14, Y15)
}

// loader returns a function that loads a field of the argument block p.
func loader(p GPVirtual) func(offset int) GPVirtual {
	return func(offset int) GPVirtual {
		g := GP64()
		MOVQ(Mem{Base: p, Disp: offset}, g)
		return g
	}
}

// peak keeps independent FMA chains busy, n rounds of one each: the register peak.
func peak(name string, acc []VecPhysical, x, y VecPhysical) {
	TEXT(name, NOSPLIT, "func(n uint64)")
	Doc(name + " runs n rounds of " + "independent multiply-adds in registers.")
	n := Load(Param("n"), GP64())
	for _, v := range append(acc[:len(acc):len(acc)], x, y) {
		if len(acc) == 24 {
			VPXORD(v, v, v)
		} else {
			VXORPS(v, v, v)
		}
	}
	Label("l")
	for _, v := range acc {
		VFMADD231PS(y, x, v)
	}
	DECQ(n)
	JNZ(LabelRef("l"))
	VZEROUPPER()
	RET()
}
