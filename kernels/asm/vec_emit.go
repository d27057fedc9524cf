package main

import (
	"fmt"
	"math"
	"slices"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// simd emits instructions for one vector width, so that each kernel of cpu/vec is written once. Its methods return their result in
// a new virtual register; avo assigns the real ones. An operand is a V, or a constant: num or word.
//
// A body runs twice: once dry, which only counts its constants, then for good, with the most frequent ones pinned to registers
// that are loaded before the loop.
type simd struct {
	lanes  int          // 16: AVX-512, 8: AVX2 with FMA
	suffix string       // of function names
	dry    *[]uint32    // constants in the order of their use; not nil: nothing is emitted
	pinned map[uint32]V // constants in registers
	queue  *[]func()    // not nil: instructions wait here
}

var simds = []simd{{lanes: 8, suffix: "AVX2"}, {lanes: 16, suffix: "AVX512"}}

// V is a vector register.
type V = VecVirtual

// num is a float32 constant in all lanes, word one by its bits.
type (
	num  float64
	word uint32
)

// mask is the outcome of a comparison: lanes of ones in AVX2, a mask register in AVX-512.
type mask struct {
	y V
	k Register
}

func (s simd) wide() bool { return s.lanes == 16 }

func (s simd) bytes() int { return 4 * s.lanes }

func (s simd) reg() V {
	if s.wide() {
		return ZMM()
	}
	return YMM()
}

// table returns the symbol with these words, made once.
func table(words ...uint32) Mem {
	name := "v"
	for _, w := range words[:min(len(words), 4)] {
		name += fmt.Sprintf("%08x", w)
	}
	name += fmt.Sprintf("x%d", len(words))
	if m, ok := tables[name]; ok {
		return m
	}
	m := GLOBL(name, RODATA|NOPTR)
	for i, w := range words {
		DATA(4*i, U32(w))
	}
	tables[name] = m
	return m
}

var tables = map[string]Mem{}

// bits returns a constant's bits.
func bits(x any) (uint32, bool) {
	switch x := x.(type) {
	case num:
		return math.Float32bits(float32(x)), true
	case word:
		return uint32(x), true
	}
	return 0, false
}

// konst is a constant in eight lanes of memory: AVX2 reads them all, AVX-512 broadcasts the first.
func konst(w uint32) Mem { return table(w, w, w, w, w, w, w, w) }

// do appends instructions, unless the run is dry.
func (s simd) do(f func()) {
	switch {
	case s.dry != nil:
	case s.queue != nil:
		*s.queue = append(*s.queue, f)
	default:
		f()
	}
}

// interleave runs n independent bodies with their instructions taking turns, so that a long chain of one leaves the processor work of
// another.
func (s simd) interleave(n int, body func(s simd, i int)) {
	queues := make([][]func(), n)
	longest := 0
	for i := range queues {
		s.queue = &queues[i]
		body(s, i)
		longest = max(longest, len(queues[i]))
	}
	for j := range longest {
		for _, q := range queues {
			if j < len(q) {
				q[j]()
			}
		}
	}
}

// used notes that the body uses a constant; it returns the register that holds it, or nil.
func (s simd) used(w uint32) V {
	if s.dry != nil {
		*s.dry = append(*s.dry, w)
	}
	return s.pinned[w]
}

// pin loads up to n constants of a body, those it uses most often, and returns s with them.
func (s simd) pin(n int, body func(s simd)) simd {
	var list []uint32
	s.dry = &list
	body(s)
	s.dry = nil
	count := map[uint32]int{}
	var distinct []uint32
	for _, w := range list {
		if count[w]++; count[w] == 1 {
			distinct = append(distinct, w)
		}
	}
	slices.SortStableFunc(distinct, func(a, b uint32) int { return count[b] - count[a] })
	s.pinned = map[uint32]V{}
	for _, w := range distinct[:min(n, len(distinct))] {
		s.pinned[w] = s.fresh(w)
	}
	return s
}

// fresh loads a constant.
func (s simd) fresh(w uint32) V {
	d := s.reg()
	s.do(func() {
		if s.wide() {
			VBROADCASTSS(konst(w), d)
		} else {
			VMOVUPS(konst(w), d)
		}
	})
	return d
}

// emit appends an instruction whose first operand may be a constant: plain for registers and AVX2, bcst for AVX-512's broadcast.
func (s simd) emit(plain, bcst func(...Op), b any, rest ...Op) {
	w, ok := bits(b)
	if ok {
		if r := s.used(w); r != nil {
			b, ok = r, false
		}
	}
	s.do(func() {
		switch {
		case !ok:
			plain(append([]Op{b.(V)}, rest...)...)
		case s.wide():
			bcst(append([]Op{konst(w)}, rest...)...)
		default:
			plain(append([]Op{konst(w)}, rest...)...)
		}
	})
}

// two appends d = a op b.
func (s simd) two(plain, bcst func(...Op), a V, b any) V {
	d := s.reg()
	s.emit(plain, bcst, b, a, d)
	return d
}

// load returns x in a register, which must not be written to.
func (s simd) load(x any) V {
	if v, ok := x.(V); ok {
		return v
	}
	w, _ := bits(x)
	if r := s.used(w); r != nil {
		return r
	}
	return s.fresh(w)
}

func (s simd) zero() V {
	d := s.reg()
	s.do(func() {
		if s.wide() {
			VPXORD(d, d, d)
		} else {
			VXORPS(d, d, d)
		}
	})
	return d
}

func (s simd) copy(a V) V {
	d := s.reg()
	s.do(func() { VMOVAPS(a, d) })
	return d
}

func (s simd) add(a V, b any) V { return s.two(VADDPS, VADDPS_BCST, a, b) }
func (s simd) sub(a V, b any) V { return s.two(VSUBPS, VSUBPS_BCST, a, b) }
func (s simd) mul(a V, b any) V { return s.two(VMULPS, VMULPS_BCST, a, b) }
func (s simd) div(a V, b any) V { return s.two(VDIVPS, VDIVPS_BCST, a, b) }

// max is a where a > b, else b: the processor's rule, so a NaN of b stays; min alike.
func (s simd) max(a, b any) V { return s.two(VMAXPS, VMAXPS_BCST, s.load(a), b) }
func (s simd) min(a, b any) V { return s.two(VMINPS, VMINPS_BCST, s.load(a), b) }

func (s simd) sqrt(a V) V {
	d := s.reg()
	s.do(func() { VSQRTPS(a, d) })
	return d
}

// fma is a*b + c.
func (s simd) fma(a V, b any, c any) V {
	if _, ok := b.(V); ok {
		if _, ok := c.(V); !ok { // the constant is the addend: a' = a*b + c
			d := s.copy(a)
			s.emit(VFMADD213PS, VFMADD213PS_BCST, c, b.(V), d)
			return d
		}
	}
	d := s.copy(s.load(c))
	s.emit(VFMADD231PS, VFMADD231PS_BCST, b, a, d)
	return d
}

// fnma is c - a*b.
func (s simd) fnma(a V, b any, c V) V {
	d := s.copy(c)
	s.emit(VFNMADD231PS, VFNMADD231PS_BCST, b, a, d)
	return d
}

// accumulate adds a*b to acc itself.
func (s simd) accumulate(acc, a V, b any) { s.emit(VFMADD231PS, VFMADD231PS_BCST, b, a, acc) }

// poly is the polynomial in x with the given coefficients, highest power first, by Horner's rule with fused steps.
func (s simd) poly(x V, c ...float64) V {
	p := s.copy(s.load(num(c[0])))
	for _, k := range c[1:] {
		s.emit(VFMADD213PS, VFMADD213PS_BCST, num(k), x, p) // p = x*p + k
	}
	return p
}

// Bitwise and integer operations.

func (s simd) logic(avx2, avx512, bcst func(...Op), a V, b any) V {
	if s.wide() {
		return s.two(avx512, bcst, a, b)
	}
	return s.two(avx2, nil, a, b)
}

func (s simd) and(a V, b any) V { return s.logic(VANDPS, VPANDD, VPANDD_BCST, a, b) }
func (s simd) or(a V, b any) V  { return s.logic(VORPS, VPORD, VPORD_BCST, a, b) }
func (s simd) xor(a V, b any) V { return s.logic(VXORPS, VPXORD, VPXORD_BCST, a, b) }

func (s simd) addInt(a V, b any) V { return s.two(VPADDD, VPADDD_BCST, a, b) }
func (s simd) subInt(a V, b any) V { return s.two(VPSUBD, VPSUBD_BCST, a, b) }

func (s simd) shift(f func(...Op), a V, n uint8) V {
	d := s.reg()
	s.do(func() { f(U8(n), a, d) })
	return d
}

func (s simd) shl(a V, n uint8) V { return s.shift(VPSLLD, a, n) }
func (s simd) shr(a V, n uint8) V { return s.shift(VPSRLD, a, n) } // logical
func (s simd) sar(a V, n uint8) V { return s.shift(VPSRAD, a, n) } // arithmetic

func (s simd) toFloat(a V) V {
	d := s.reg()
	s.do(func() { VCVTDQ2PS(a, d) })
	return d
}

const (
	signBit  = word(1 << 31)
	absBits  = word(1<<31 - 1)
	infinity = word(0x7f800000)
	minusInf = word(0xff800000)
)

func (s simd) abs(a V) V { return s.and(a, absBits) }

// Predicates of cmp (Intel's VCMPPS); ordered ones are false for NaN.
const (
	eq, lt, le     = 0, 1, 2
	unordered, neq = 3, 4
	nlt            = 5
	ge, gt         = 13, 14
)

// cmp compares a with b.
func (s simd) cmp(predicate uint8, a V, b any) mask {
	compare := func(f func(...Op)) func(...Op) {
		return func(ops ...Op) { f(append([]Op{U8(predicate)}, ops...)...) }
	}
	var m mask
	if s.wide() {
		m.k = K()
		s.emit(compare(VCMPPS), compare(VCMPPS_BCST), b, a, m.k)
	} else {
		m.y = s.reg()
		s.emit(compare(VCMPPS), nil, b, a, m.y)
	}
	return m
}

// negative is the mask of lanes whose sign bit is set.
func (s simd) negative(a V) mask {
	if s.wide() {
		k := K()
		s.do(func() { VPMOVD2M(a, k) })
		return mask{k: k}
	}
	return mask{y: a}
}

// blend is a where m, else b.
func (s simd) blend(m mask, a any, b V) V {
	d := s.reg()
	if s.wide() {
		s.emit(VBLENDMPS, VBLENDMPS_BCST, a, b, m.k, d)
	} else {
		s.emit(func(o ...Op) { VBLENDVPS(m.y, o[0], o[1], o[2]) }, nil, a, b, d)
	}
	return d
}

// where is the constant c where m, else 0.
func (s simd) where(m mask, c any) V {
	if !s.wide() {
		return s.and(m.y, c)
	}
	return s.keep(m, s.load(c))
}

// keep is a where m, else 0.
func (s simd) keep(m mask, a V) V {
	if !s.wide() {
		return s.and(m.y, a)
	}
	d := s.reg()
	s.do(func() { VMOVAPS_Z(a, m.k, d) })
	return d
}

// round rounds to an integer: mode 8 to nearest even, 9 down.
func (s simd) round(a V, mode uint8) V {
	d := s.reg()
	s.do(func() {
		if s.wide() {
			VRNDSCALEPS(U8(mode), a, d)
		} else {
			VROUNDPS(U8(mode), a, d)
		}
	})
	return d
}

// scalef is a * 2^k (AVX-512).
func (s simd) scalef(a, k V) V {
	d := s.reg()
	s.do(func() { VSCALEFPS(k, a, d) })
	return d
}
