package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// tile512 writes z{mr}x{16 nv}: C[r] (+)= the sum over Segs segments of K steps of A[r]*B, then biases, ReLU or ReLU mask.
// All columns are masked, so one kernel serves full tiles and edges.
//
// With pairs every float of A and B is two bfloat16, K counts them, and VDPBF16PS adds both products: the tile is h{mr}x{16 nv}.
func tile512(mr, nv int, pairs bool) {
	name := "z%dx%d"
	if pairs {
		name = "h%dx%d"
	}
	TEXT(fmt.Sprintf(name, mr, 16*nv), NOSPLIT, "func(p *uint64)")
	p := Load(Param("p"), GP64()).(GPVirtual)
	load := loader(p)
	m := GP32()
	MOVL(Mem{Base: p, Disp: oMask}, m)
	KMOVW(m, K1)
	if nv == 2 {
		SHRL(U8(16), m)
		KMOVW(m, K2)
	}
	ks := []OpmaskPhysical{K1, K2}
	acc := func(r, v int) VecPhysical { return zs[r*nv+v] }
	bv, tmp := []VecPhysical{Z28, Z29}, []VecPhysical{Z30, Z31}

	c, t := load(oC), GP64()
	for r := 0; r < mr; r++ {
		MOVQ(Mem{Base: p, Disp: oRows + 8*r}, t)
		for v := 0; v < nv; v++ {
			PREFETCHT0(Mem{Base: c, Index: t, Scale: 1, Disp: 64 * v})
			VPXORD(acc(r, v), acc(r, v), acc(r, v))
		}
	}

	a, b, sak, sbk, segs := load(oA), load(oB), load(oSAK), load(oSBK), load(oSegs)
	s1 := load(oSAM)
	s3, s5, a7 := GP64(), GP64(), GP64()
	LEAQ(Mem{Base: s1, Index: s1, Scale: 2}, s3)
	LEAQ(Mem{Base: s1, Index: s1, Scale: 4}, s5)
	if mr > 7 {
		LEAQ(Mem{Base: a, Index: s3, Scale: 2}, a7)
		ADDQ(s1, a7)
	}
	row := func(r int) Mem {
		base := a
		if r >= 7 {
			base, r = a7, r-7
		}
		return strided(base, s1, s3, s5, r)
	}
	step := func() {
		for v := 0; v < nv; v++ {
			VMOVUPS_Z(Mem{Base: b, Disp: 64 * v}, ks[v], bv[v])
		}
		ADDQ(sbk, b)
		for r := 0; r < mr; r++ {
			if nv == 1 && !pairs {
				VFMADD231PS_BCST(row(r), bv[0], acc(r, 0))
				continue
			}
			VBROADCASTSS(row(r), tmp[r%2])
			if pairs {
				for v := 0; v < nv; v++ {
					vdpbf16ps(30+r%2, 28+v, r*nv+v)
				}
				continue
			}
			VFMADD231PS(tmp[r%2], bv[0], acc(r, 0))
			VFMADD231PS(tmp[r%2], bv[1], acc(r, 1))
		}
		ADDQ(sak, a)
		if mr > 7 {
			ADDQ(sak, a7)
		}
	}
	k := GP64()
	Label("seg")
	MOVQ(Mem{Base: p, Disp: oK}, k)
	SHRQ(U8(1), k)
	JZ(LabelRef("odd"))
	Label("pair")
	step()
	step()
	DECQ(k)
	JNZ(LabelRef("pair"))
	Label("odd")
	TESTB(U8(1), Mem{Base: p, Disp: oK})
	JZ(LabelRef("next"))
	step()
	Label("next")
	ADDQ(Mem{Base: p, Disp: oSegA}, a)
	if mr > 7 {
		ADDQ(Mem{Base: p, Disp: oSegA}, a7)
	}
	DECQ(segs)
	JNZ(LabelRef("seg"))
	store512(p, load, mr, nv, t)
}

// strided is row r < 7 of an operand whose rows are s1 apart; s3 and s5 are its multiples.
func strided(base, s1, s3, s5 Register, r int) Mem {
	switch r {
	case 0:
		return Mem{Base: base}
	case 1, 2, 4:
		return Mem{Base: base, Index: s1, Scale: uint8(r)}
	case 3, 6:
		return Mem{Base: base, Index: s3, Scale: uint8(r / 3)}
	}
	return Mem{Base: base, Index: s5, Scale: 1}
}

// store512 is the end of a tile: the flags' work on the sums, and the store.
func store512(p GPVirtual, load func(int) GPVirtual, mr, nv int, t GPVirtual) {
	ks := []OpmaskPhysical{K1, K2}
	acc := func(r, v int) VecPhysical { return zs[r*nv+v] }
	bv, tmp := []VecPhysical{Z28, Z29}, []VecPhysical{Z30, Z31}
	c := load(oC)
	fl := load(oFlags)
	each := func(f func(r, v int)) {
		for r := 0; r < mr; r++ {
			MOVQ(Mem{Base: p, Disp: oRows + 8*r}, t)
			for v := 0; v < nv; v++ {
				f(r, v)
			}
		}
	}
	cm := func(base Register, v int) Mem { return Mem{Base: base, Index: t, Scale: 1, Disp: 64 * v} }
	TESTQ(U32(flagAccumulate), fl)
	JZ(LabelRef("bias"))
	each(func(r, v int) {
		VMOVUPS_Z(cm(c, v), ks[v], tmp[v])
		VADDPS(tmp[v], acc(r, v), acc(r, v))
	})
	Label("bias")
	TESTQ(U32(flagBias), fl)
	JZ(LabelRef("rowbias"))
	bias := load(oBias)
	for v := 0; v < nv; v++ {
		VMOVUPS_Z(Mem{Base: bias, Disp: 64 * v}, ks[v], bv[v])
		for r := 0; r < mr; r++ {
			VADDPS(bv[v], acc(r, v), acc(r, v))
		}
	}
	Label("rowbias")
	TESTQ(U32(flagRowBias), fl)
	JZ(LabelRef("relu"))
	rowBias := load(oRowBias)
	for r := 0; r < mr; r++ {
		VBROADCASTSS(Mem{Base: rowBias, Disp: 4 * r}, bv[0])
		for v := 0; v < nv; v++ {
			VADDPS(bv[0], acc(r, v), acc(r, v))
		}
	}
	Label("relu")
	VPXORD(Z28, Z28, Z28)
	TESTQ(U32(flagReLU), fl)
	JZ(LabelRef("mask"))
	for i := 0; i < mr*nv; i++ {
		VMAXPS(zs[i], Z28, zs[i]) // in this order a NaN stays
	}
	Label("mask")
	TESTQ(U32(flagMaskReLU), fl)
	JZ(LabelRef("store"))
	aux := load(oAux)
	each(func(r, v int) { // keep the gradient where the ReLU's output was above 0
		VMOVUPS_Z(cm(aux, v), ks[v], tmp[v])
		VCMPPS(U8(0x1e), Z28, tmp[v], K3)
		VMOVAPS_Z(acc(r, v), K3, acc(r, v))
	})
	Label("store")
	each(func(r, v int) { VMOVUPS(acc(r, v), ks[v], cm(c, v)) })
	VZEROUPPER()
	RET()
}
