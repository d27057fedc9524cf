package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// bf16Kernels generates cpu/gemm/bf16_amd64.s: tiles of pairs of bfloat16 for AVX512_BF16, and what makes pairs of floats, for AVX-512.
func bf16Kernels() {
	for rows := 1; rows <= rows512; rows++ {
		tile512(rows, 2, true)
		tile512(rows, 1, true)
	}
	pairRows512()
	pairs512()
	peakPairs()
}

// peakPairs keeps 24 independent sums of pairs busy, n rounds of one VDPBF16PS each: the register peak.
func peakPairs() {
	TEXT("peakPairs", NOSPLIT, "func(n uint64)")
	n := Load(Param("n"), GP64())
	for _, z := range zs {
		VPXORD(z, z, z)
	}
	Label("l")
	for i := range 24 {
		vdpbf16ps(30, 31, i)
	}
	DECQ(n)
	JNZ(LabelRef("l"))
	VZEROUPPER()
	RET()
}

// vdpbf16ps adds to Z{acc} the products of the pairs in Z{x} and Z{y}, lane by lane. Neither avo nor Go's assembler knows the
// instruction, so its bytes are written: EVEX.512.F3.0F38.W0 52 /r (Intel's manual, volume 2, chapter 5 and section 2.7).
func vdpbf16ps(x, y, acc int) {
	bit := func(n, i int) uint32 { return uint32(^n) >> i & 1 } // EVEX stores the high bits of registers inverted
	p0 := bit(acc, 3)<<7 | bit(x, 4)<<6 | bit(x, 3)<<5 | bit(acc, 4)<<4 | 2
	p1 := uint32(^y)&15<<3 | 1<<2 | 2
	p2 := uint32(2)<<5 | bit(y, 4)<<3
	modRM := 0xc0 | uint32(acc)&7<<3 | uint32(x)&7
	Comment(fmt.Sprintf("VDPBF16PS Z%d, Z%d, Z%d", x, y, acc))
	Instruction(&ir.Instruction{Opcode: "LONG", Operands: []Op{U32(0x62 | p0<<8 | p1<<16 | p2<<24)}})
	Instruction(&ir.Instruction{Opcode: "WORD", Operands: []Op{U16(0x52 | modRM<<8)}})
}

// rounder holds the constants of round.
type rounder struct{ one, bias, quiet, high VecPhysical }

func newRounder() rounder {
	r := rounder{Z28, Z29, Z30, Z31}
	t := GP32()
	for _, x := range []struct {
		v VecPhysical
		c uint32
	}{{r.one, 1}, {r.bias, 0x7fff}, {r.quiet, 0x400000}, {r.high, 0xffff0000}} {
		MOVL(U32(x.c), t)
		VPBROADCASTD(t, x.v)
	}
	return r
}

// round makes the upper half of each float of x the nearest bfloat16, ties to even; NaN stays one. t is overwritten.
func (r rounder) round(x, t VecPhysical) {
	VPSRLD(U8(16), x, t)
	VPANDD(r.one, t, t)
	VPADDD(r.bias, t, t)
	VPADDD(x, t, t)
	VCMPPS(U8(3), x, x, K3)
	VPORD(r.quiet, x, K3, t)
	VMOVAPS(t, x)
}

// join makes pairs of rounded floats: lo below, hi above.
func (r rounder) join(lo, hi VecPhysical) {
	VPSRLD(U8(16), lo, lo)
	VPANDD(r.high, hi, hi)
	VPORD(hi, lo, lo)
}

// pairRows512 makes n pairs, a multiple of 16, of the floats of two rows.
func pairRows512() {
	TEXT("pairRows512", NOSPLIT, "func(dst, lo, hi *float32, n uint64)")
	d, lo, hi, n := Load(Param("dst"), GP64()), Load(Param("lo"), GP64()), Load(Param("hi"), GP64()), Load(Param("n"), GP64())
	r := newRounder()
	Label("l")
	VMOVUPS(Mem{Base: lo}, Z0)
	VMOVUPS(Mem{Base: hi}, Z1)
	r.round(Z0, Z2)
	r.round(Z1, Z2)
	r.join(Z0, Z1)
	VMOVUPS(Z0, Mem{Base: d})
	for _, p := range []Register{d, lo, hi} {
		ADDQ(U8(64), p)
	}
	SUBQ(U8(16), n)
	JNZ(LabelRef("l"))
	VZEROUPPER()
	RET()
}

// pairs512 makes n pairs, a multiple of 16, of the 2n floats of a row.
func pairs512() {
	index := GLOBL("bf16Evens", RODATA|NOPTR)
	for i := range 16 {
		DATA(4*i, U32(2*i))
	}
	TEXT("pairs512", NOSPLIT, "func(dst, src *float32, n uint64)")
	d, s, n := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("n"), GP64())
	r := newRounder()
	at := GP64()
	LEAQ(index, at)
	VMOVUPS(Mem{Base: at}, Z26)
	VPADDD(r.one, Z26, Z27)
	Label("l")
	VMOVUPS(Mem{Base: s}, Z0)
	VMOVUPS(Mem{Base: s, Disp: 64}, Z1)
	r.round(Z0, Z2)
	r.round(Z1, Z2)
	VMOVAPS(Z0, Z3)
	VPERMT2D(Z1, Z26, Z0)
	VPERMT2D(Z1, Z27, Z3)
	r.join(Z0, Z3)
	VMOVUPS(Z0, Mem{Base: d})
	ADDQ(U8(64), d)
	ADDQ(U32(128), s)
	SUBQ(U8(16), n)
	JNZ(LabelRef("l"))
	VZEROUPPER()
	RET()
}
