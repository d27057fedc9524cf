package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// tile256 writes y{mr}x{8 nv}, masked ones with an m behind: as tile512, for Tiles tiles of mr rows below each other.
// The last vector of a masked kernel has only the lanes that Edge leaves.
func tile256(mr, nv int, masked bool) {
	suffix := ""
	if masked {
		suffix = "m"
	}
	TEXT(fmt.Sprintf("y%dx%d%s", mr, 8*nv, suffix), NOSPLIT, "func(p *uint64)")
	k := &kernel256{mr: mr, nv: nv, masked: masked, p: Load(Param("p"), GP64()).(GPVirtual)}
	k.load = loader(k.p)
	k.mask = Y15
	if masked {
		edge, table := k.load(oEdge), GP64()
		LEAQ(laneMask, table)
		VMOVUPS(Mem{Base: table, Index: edge, Scale: 1}, k.mask)
	}
	k.tiles, k.curA, k.curC, k.rowBias = k.load(oTiles), k.load(oA), GP64(), k.load(oRowBias)
	XORQ(k.curC, k.curC)
	Label("tile")
	k.start()
	k.sum()
	k.store()
	ADDQ(Mem{Base: k.p, Disp: oTileA}, k.curA)
	ADDQ(Mem{Base: k.p, Disp: oTileC}, k.curC)
	ADDQ(U8(4*mr), k.rowBias)
	DECQ(k.tiles)
	JNZ(LabelRef("tile"))
	VZEROUPPER()
	RET()
}

// kernel256 is one AVX2 tile kernel being written.
type kernel256 struct {
	mr, nv              int
	masked              bool
	p                   GPVirtual
	load                func(int) GPVirtual
	mask                VecPhysical
	tiles               GPVirtual // still to do
	curA, curC, rowBias GPVirtual // A of this tile; bytes from C to this tile's; row bias of this tile
}

func (k *kernel256) acc(r, v int) VecPhysical { return ys[r*k.nv+v] }

// get loads vector v of a row: masked, if it is the last of a masked kernel.
func (k *kernel256) get(m Mem, v int, dst VecPhysical) {
	m.Disp += 32 * v
	if k.masked && v == k.nv-1 {
		VMASKMOVPS(m, k.mask, dst)
		return
	}
	VMOVUPS(m, dst)
}

// start clears the sums and asks for C.
func (k *kernel256) start() {
	c, t := k.load(oC), GP64()
	ADDQ(k.curC, c)
	for r := 0; r < k.mr; r++ {
		MOVQ(Mem{Base: k.p, Disp: oRows + 8*r}, t)
		PREFETCHT0(Mem{Base: c, Index: t, Scale: 1})
		if k.nv == 2 {
			PREFETCHT0(Mem{Base: c, Index: t, Scale: 1, Disp: 60})
		}
		for v := 0; v < k.nv; v++ {
			VXORPS(k.acc(r, v), k.acc(r, v), k.acc(r, v))
		}
	}
}

// sum adds up K steps of each segment. Where the steps of A lie a row's float or a panel's row apart, four at a time take their places
// from the instructions: a processor whose other half is busy decodes no more than the multiply-adds need.
func (k *kernel256) sum() {
	b, sbk, segs, s1 := k.load(oB), k.load(oSBK), k.load(oSegs), k.load(oSAM)
	s := steps256{kernel256: k, a: GP64(), a7: GP64(), b: b, sbk: sbk, s1: s1, s3: GP64(), s5: GP64()}
	MOVQ(k.curA, s.a)
	LEAQ(Mem{Base: s1, Index: s1, Scale: 2}, s.s3)
	LEAQ(Mem{Base: s1, Index: s1, Scale: 4}, s.s5)
	if k.mr > 7 {
		LEAQ(Mem{Base: s.a, Index: s.s3, Scale: 2}, s.a7)
		ADDQ(s1, s.a7)
	}
	Label("seg")
	n := k.load(oK)
	CMPQ(Mem{Base: k.p, Disp: oSAK}, U8(rowStep))
	JEQ(LabelRef("row"))
	CMPQ(Mem{Base: k.p, Disp: oSAK}, U8(panelStep))
	JEQ(LabelRef("panel"))
	s.far(n)
	JMP(LabelRef("next"))
	s.near("row", n, rowStep)
	JMP(LabelRef("next"))
	s.near("panel", n, panelStep)
	Label("next")
	ADDQ(Mem{Base: k.p, Disp: oSegA}, s.a)
	if k.mr > 7 {
		ADDQ(Mem{Base: k.p, Disp: oSegA}, s.a7)
	}
	DECQ(segs)
	JNZ(LabelRef("seg"))
}

// Bytes from a step of A to the next in a row, and in a panel.
const (
	rowStep   = 4
	panelStep = 4 * rows256
)

// steps256 are the steps of K of a kernel: where A and B are, and the distances between A's rows.
type steps256 struct {
	*kernel256
	a, a7      GPVirtual // rows 0 and 7 of A
	b, sbk     GPVirtual
	s1, s3, s5 GPVirtual // one, three and five rows of A
}

// step multiplies row r of A, at disp bytes from its place, by B's vectors.
func (s *steps256) step(b Mem, disp int) {
	bv, tmp := []VecPhysical{Y12, Y13}, Y14
	for v := 0; v < s.nv; v++ {
		s.get(b, v, bv[v])
	}
	for r := 0; r < s.mr; r++ {
		m := strided(s.a, s.s1, s.s3, s.s5, r%7)
		if r >= 7 {
			m.Base = s.a7
		}
		m.Disp += disp
		VBROADCASTSS(m, tmp)
		for v := 0; v < s.nv; v++ {
			VFMADD231PS(tmp, bv[v], s.acc(r, v))
		}
	}
}

// move goes on to A's next step by a number of bytes or a register of them.
func (s *steps256) move(by Op) {
	ADDQ(by, s.a)
	if s.mr > 7 {
		ADDQ(by, s.a7)
	}
}

// near does n steps of A that lie apart by a constant.
func (s *steps256) near(name string, n GPVirtual, apart int) {
	Label(name)
	SHRQ(U8(2), n)
	JZ(LabelRef(name + "_rest"))
	sbk3 := GP64()
	LEAQ(Mem{Base: s.sbk, Index: s.sbk, Scale: 2}, sbk3)
	Label(name + "_four")
	for j, m := range []Mem{{Base: s.b}, {Base: s.b, Index: s.sbk, Scale: 1}, {Base: s.b, Index: s.sbk, Scale: 2}, {Base: s.b, Index: sbk3, Scale: 1}} {
		s.step(m, j*apart)
	}
	s.move(U8(4 * apart))
	LEAQ(Mem{Base: s.b, Index: s.sbk, Scale: 4}, s.b)
	DECQ(n)
	JNZ(LabelRef(name + "_four"))
	Label(name + "_rest")
	MOVQ(Mem{Base: s.p, Disp: oK}, n)
	ANDQ(U8(3), n)
	JZ(LabelRef("next"))
	Label(name + "_one")
	s.step(Mem{Base: s.b}, 0)
	s.move(U8(apart))
	ADDQ(s.sbk, s.b)
	DECQ(n)
	JNZ(LabelRef(name + "_one"))
}

// far does n steps of A that lie apart as the arguments say.
func (s *steps256) far(n GPVirtual) {
	sak := s.load(oSAK)
	one := func() {
		s.step(Mem{Base: s.b}, 0)
		s.move(sak)
		ADDQ(s.sbk, s.b)
	}
	SHRQ(U8(1), n)
	JZ(LabelRef("odd"))
	Label("pair")
	one()
	one()
	DECQ(n)
	JNZ(LabelRef("pair"))
	Label("odd")
	TESTB(U8(1), Mem{Base: s.p, Disp: oK})
	JZ(LabelRef("next"))
	one()
}

// store does the flags' work on the sums, and stores them.
func (k *kernel256) store() {
	c, fl, t := k.load(oC), k.load(oFlags), GP64()
	ADDQ(k.curC, c)
	zero, tmp := Y12, Y13
	each := func(base Register, f func(r, v int, m Mem)) {
		for r := 0; r < k.mr; r++ {
			MOVQ(Mem{Base: k.p, Disp: oRows + 8*r}, t)
			for v := 0; v < k.nv; v++ {
				f(r, v, Mem{Base: base, Index: t, Scale: 1})
			}
		}
	}
	TESTQ(U32(flagAccumulate), fl)
	JZ(LabelRef("bias"))
	each(c, func(r, v int, m Mem) {
		k.get(m, v, tmp)
		VADDPS(tmp, k.acc(r, v), k.acc(r, v))
	})
	Label("bias")
	TESTQ(U32(^flagAccumulate&0xff), fl)
	JZ(LabelRef("store"))
	TESTQ(U32(flagBias), fl)
	JZ(LabelRef("rowbias"))
	bias := k.load(oBias)
	for v := 0; v < k.nv; v++ {
		k.get(Mem{Base: bias}, v, tmp)
		for r := 0; r < k.mr; r++ {
			VADDPS(tmp, k.acc(r, v), k.acc(r, v))
		}
	}
	Label("rowbias")
	TESTQ(U32(flagRowBias), fl)
	JZ(LabelRef("relu"))
	for r := 0; r < k.mr; r++ {
		VBROADCASTSS(Mem{Base: k.rowBias, Disp: 4 * r}, tmp)
		for v := 0; v < k.nv; v++ {
			VADDPS(tmp, k.acc(r, v), k.acc(r, v))
		}
	}
	Label("relu")
	VXORPS(zero, zero, zero)
	TESTQ(U32(flagReLU), fl)
	JZ(LabelRef("mask"))
	for i := 0; i < k.mr*k.nv; i++ {
		VMAXPS(ys[i], zero, ys[i]) // in this order a NaN stays
	}
	Label("mask")
	TESTQ(U32(flagMaskReLU), fl)
	JZ(LabelRef("store"))
	aux := k.load(oAux)
	ADDQ(k.curC, aux)
	each(aux, func(r, v int, m Mem) { // keep the gradient where the ReLU's output was above 0
		k.get(m, v, tmp)
		VCMPPS(U8(0x1e), zero, tmp, tmp)
		VANDPS(tmp, k.acc(r, v), k.acc(r, v))
	})
	Label("store")
	each(c, func(r, v int, m Mem) {
		m.Disp += 32 * v
		if k.masked && v == k.nv-1 {
			VMASKMOVPS(k.acc(r, v), k.mask, m)
		} else {
			VMOVUPS(k.acc(r, v), m)
		}
	})
}
