package main

import (
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// elementwise describes a kernel that computes outputs from inputs element by element.
type elementwise struct {
	name     string
	out, in  []string
	scalar   []string // float32 parameters, broadcast
	args     int      // float32 constants behind a last parameter h, broadcast after the scalars
	unroll   int      // vectors in one turn of the main loop
	together bool     // the vectors of a turn take turns instruction by instruction
	pin      int      // constants kept in registers by AVX2; AVX-512 has room for all
	types    string   // of the slices, if not all []float32: the text of the parameter list

	// body returns the outputs of one vector; x are the inputs, s the scalars.
	body func(m simd, x, s []V) []V
}

func (e elementwise) signature() string {
	if e.types != "" {
		return "func(" + e.types + ")"
	}
	list := strings.Join(unique(e.out, e.in), ", ") + " []float32"
	for _, s := range e.scalar {
		list += ", " + s + " float32"
	}
	if e.args > 0 {
		list += ", h *float32" // the fields of an Args type
	}
	return "func(" + list + ")"
}

// emit writes the kernel: full vectors, unrolled and single, then one masked vector for the rest. All three run the same body, so
// that an element's result does not depend on its place.
func (e elementwise) emit(m simd) {
	TEXT(e.name+m.suffix, NOSPLIT, e.signature())
	base := map[string]Register{}
	var n GPVirtual
	for _, p := range unique(e.out, e.in) {
		base[p] = Load(Param(p).Base(), GP64())
		l := Load(Param(p).Len(), GP64()).(GPVirtual)
		if n == nil {
			n = l
			continue
		}
		CMPQ(l, n)
		CMOVQLT(l, n)
	}
	consts := e.broadcast(m)
	pins := e.pin
	if m.wide() {
		pins = 12
	}
	m = m.pin(pins, func(m simd) {
		x := make([]V, len(e.in))
		for i := range x {
			x[i] = m.reg()
		}
		e.body(m, x, consts)
	})
	i, next := GP64(), GP64()
	XORQ(i, i)
	loop := func(label string, vectors int) {
		Label(label)
		LEAQ(Mem{Base: i, Disp: vectors * m.lanes}, next)
		CMPQ(next, n)
		JGT(LabelRef(label + "_done"))
		groups, together := vectors, 1
		if e.together {
			groups, together = 1, vectors
		}
		vector := func(m simd, v int) {
			at := func(p string) Mem { return Mem{Base: base[p], Index: i, Scale: 4, Disp: v * m.bytes()} }
			var x []V
			for _, p := range e.in {
				x = append(x, m.loadAt(at(p)))
			}
			for j, y := range e.body(m, x, consts) {
				m.do(func() { VMOVUPS(y, at(e.out[j])) })
			}
		}
		for g := range groups {
			m.interleave(together, func(m simd, v int) { vector(m, g+v) })
		}
		MOVQ(next, i)
		JMP(LabelRef(label))
		Label(label + "_done")
	}
	if e.unroll > 1 {
		loop("unrolled", e.unroll)
	}
	loop("single", 1)
	SUBQ(i, n)
	JLE(LabelRef("done"))
	k := m.tail(n)
	at := func(p string) Mem { return Mem{Base: base[p], Index: i, Scale: 4} }
	var x []V
	for _, p := range e.in {
		x = append(x, m.loadPart(k, at(p)))
	}
	for j, y := range e.body(m, x, consts) {
		m.storePart(k, y, at(e.out[j]))
	}
	Label("done")
	VZEROUPPER()
	RET()
}

// broadcast returns the scalar parameters, then the constants behind h, in registers.
func (e elementwise) broadcast(m simd) (v []V) {
	for _, p := range e.scalar {
		c, err := Param(p).Resolve()
		if err != nil {
			panic(err)
		}
		r := m.reg()
		VBROADCASTSS(c.Addr, r)
		v = append(v, r)
	}
	if e.args > 0 {
		h := Load(Param("h"), GP64())
		for i := range e.args {
			r := m.reg()
			VBROADCASTSS(Mem{Base: h, Disp: 4 * i}, r)
			v = append(v, r)
		}
	}
	return v
}

func unique(lists ...[]string) (all []string) {
	seen := map[string]bool{}
	for _, l := range lists {
		for _, p := range l {
			if !seen[p] {
				seen[p] = true
				all = append(all, p)
			}
		}
	}
	return all
}

// tail returns the mask of the first n lanes, 0 < n < lanes.
func (m simd) tail(n GPVirtual) mask {
	if m.wide() {
		t, k := GP32(), K()
		MOVL(I32(-1), t)
		BZHIL(n.As32(), t, t)
		KMOVW(t, k)
		return mask{k: k}
	}
	ones := make([]uint32, 16)
	for i := range 8 {
		ones[i] = ^uint32(0)
	}
	p, t := GP64(), GP64()
	LEAQ(table(ones...), p)
	MOVQ(n, t)
	NEGQ(t)
	y := YMM()
	VMOVUPS(Mem{Base: p, Index: t, Scale: 4, Disp: 32}, y)
	return mask{y: y}
}

// loadPart loads the lanes of k, the others are 0 and not touched in memory.
func (m simd) loadPart(k mask, p Mem) V {
	d := m.reg()
	if m.wide() {
		VMOVUPS_Z(p, k.k, d)
	} else {
		VMASKMOVPS(p, k.y, d)
	}
	return d
}

func (m simd) storePart(k mask, v V, p Mem) {
	if m.wide() {
		VMOVUPS(v, k.k, p)
	} else {
		VMASKMOVPS(v, k.y, p)
	}
}
