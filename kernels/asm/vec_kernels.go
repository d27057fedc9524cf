package main

import (
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// vecKernels generates cpu/vec/vec_amd64.s.
func vecKernels() {
	for _, m := range simds {
		for _, e := range elementwiseKernels {
			e.emit(m)
		}
		for _, r := range rowKernels {
			r.emit(m)
		}
		m.reductions()
		m.softmax()
		m.random()
		m.fill()
	}
	transpose8()
}

// fn is the body of a kernel with one output.
type fn = func(m simd, x, s []V) V

func kernel(name, in, scalar string, unroll int, f fn) elementwise {
	return elementwise{
		name: name, out: []string{"dst"}, in: strings.Fields(in), scalar: strings.Fields(scalar), unroll: unroll, pin: 4,
		body: func(m simd, x, s []V) []V { return []V{f(m, x, s)} },
	}
}

// pinning is for long bodies: it interleaves the vectors of a turn and sets the number of constants that AVX2 keeps in registers,
// found by trying how many leave enough for the rest.
func (e elementwise) pinning(n int) elementwise {
	e.pin, e.together = n, true
	return e
}

func unary(name string, unroll int, f func(m simd, x V) V) elementwise {
	return kernel(name, "x", "", unroll, func(m simd, x, _ []V) V { return f(m, x[0]) })
}

func scalar(name string, unroll int, f func(m simd, x, s V) V) elementwise {
	return kernel(name, "x", "s", unroll, func(m simd, x, s []V) V { return f(m, x[0], s[0]) })
}

func binary(name string, unroll int, f func(m simd, a, b V) V) elementwise {
	return kernel(name, "a b", "", unroll, func(m simd, x, _ []V) V { return f(m, x[0], x[1]) })
}

// compare are the two kernels of a comparison, with a slice and with a scalar.
func compare(name string, predicate uint8) []elementwise {
	f := func(m simd, a, b V) V { return m.where(m.cmp(predicate, a, b), num(1)) }
	return []elementwise{binary(name, 4, f), scalar(name+"S", 4, f)}
}

var elementwiseKernels = join(
	[]elementwise{
		binary("add", 4, func(m simd, a, b V) V { return m.add(a, b) }),
		binary("sub", 4, func(m simd, a, b V) V { return m.sub(a, b) }),
		binary("mul", 4, func(m simd, a, b V) V { return m.mul(a, b) }),
		binary("div", 2, func(m simd, a, b V) V { return m.div(a, b) }),
		// The processor's maximum keeps a NaN of b only.
		binary("max", 4, func(m simd, a, b V) V { return m.blend(m.cmp(unordered, a, a), a, m.max(a, b)) }),
		binary("min", 4, func(m simd, a, b V) V { return m.blend(m.cmp(unordered, a, a), a, m.min(a, b)) }),
		kernel("mulAdd", "a b c", "", 4, func(m simd, x, _ []V) V { return m.fma(x[0], x[1], x[2]) }),
		kernel("axpy", "dst x", "s", 4, func(m simd, x, s []V) V {
			m.accumulate(x[0], x[1], s[0])
			return x[0]
		}),
		kernel("affine", "x", "s c", 4, func(m simd, x, s []V) V { return m.fma(x[0], s[0], s[1]) }),
		kernel("centred", "x", "mean s c", 4, func(m simd, x, s []V) V { return m.fma(m.sub(x[0], s[0]), s[1], s[2]) }),
		kernel("centredPlus", "x y", "mean s c a", 4, func(m simd, x, s []V) V {
			return m.fma(x[1], s[3], m.fma(m.sub(x[0], s[0]), s[1], s[2]))
		}),
		kernel("selectBy", "cond a b", "", 4, func(m simd, x, _ []V) V { return m.blend(m.cmp(neq, x[0], num(0)), x[1], x[2]) }),
	},
	compare("greater", gt), compare("greaterEqual", ge), compare("less", lt),
	compare("lessEqual", le), compare("equal", eq), compare("notEqual", neq),
	[]elementwise{
		scalar("addS", 4, func(m simd, x, s V) V { return m.add(x, s) }),
		scalar("mulS", 4, func(m simd, x, s V) V { return m.mul(x, s) }),
		scalar("subRS", 4, func(m simd, x, s V) V { return m.sub(s, x) }),
		scalar("divRS", 2, func(m simd, x, s V) V { return m.div(s, x) }),
		scalar("maxS", 4, func(m simd, x, s V) V { return m.max(s, x) }),
		scalar("minS", 4, func(m simd, x, s V) V { return m.min(s, x) }),

		unary("neg", 4, func(m simd, x V) V { return m.xor(x, signBit) }),
		unary("abs", 4, func(m simd, x V) V { return m.abs(x) }),
		unary("square", 4, func(m simd, x V) V { return m.mul(x, x) }),
		unary("sqrt", 2, func(m simd, x V) V { return m.sqrt(x) }),
		unary("recip", 2, func(m simd, x V) V { return m.div(m.load(num(1)), x) }),
		unary("rsqrt", 2, func(m simd, x V) V { return m.div(m.load(num(1)), m.sqrt(x)) }),
		unary("sign", 2, func(m simd, x V) V {
			return m.blend(m.cmp(notEqualOrdered, x, num(0)), m.or(m.and(x, signBit), num(1)), x)
		}),
		unary("floor", 4, func(m simd, x V) V { return m.round(x, 9) }),
		unary("round", 4, func(m simd, x V) V { return m.round(x, 8) }),

		unary("exp", 2, func(m simd, x V) V { return m.exp(x, false) }).pinning(8),
		unary("expm1", 2, simd.fullExpm1).pinning(6),
		unary("log", 1, simd.log).pinning(10),
		unary("tanh", 2, simd.tanh).pinning(6),
		unary("sigmoid", 2, simd.sigmoid).pinning(6),
		unary("softplus", 2, simd.softplus).pinning(4),
		unary("erf", 1, simd.erf).pinning(9),

		unary("relu", 4, func(m simd, x V) V { return m.max(m.zero(), x) }),
		scalar("leakyReLU", 4, func(m simd, x, s V) V { return m.blend(m.cmp(gt, x, num(0)), x, m.mul(x, s)) }),
		scalar("elu", 2, simd.elu).pinning(5),
		unary("gelu", 2, simd.gelu).pinning(3),
		unary("silu", 2, simd.silu).pinning(4),

		binary("reluGrad", 4, func(m simd, y, dy V) V { return m.keep(m.cmp(gt, y, num(0)), dy) }),
		binary("sigmoidGrad", 4, simd.throughSigmoid),
		binary("tanhGrad", 4, simd.throughTanh),
		kernel("leakyReLUGrad", "a b", "s", 4, func(m simd, x, s []V) V {
			return m.blend(m.cmp(gt, x[0], num(0)), x[1], m.mul(x[1], s[0]))
		}),
		kernel("eluGrad", "a b", "s", 4, func(m simd, x, s []V) V {
			return m.blend(m.cmp(gt, x[0], num(0)), x[1], m.mul(x[1], m.add(x[0], s[0])))
		}),
		binary("geluGrad", 2, simd.geluGrad).pinning(0),
		binary("siluGrad", 2, simd.siluGrad).pinning(4),
		binary("bceWithLogits", 2, simd.bce).pinning(4),
		elementwise{
			name: "bceAndSigmoid", out: []string{"loss", "sigmoid"}, in: []string{"a", "b"}, unroll: 2,
			body: func(m simd, x, _ []V) []V {
				loss, sigmoid := m.bceAndSigmoid(x[0], x[1])
				return []V{loss, sigmoid}
			},
		}.pinning(2),

		{
			name: "int32ToFloat32", out: []string{"dst"}, in: []string{"src"}, types: "dst []float32, src []int32", unroll: 4,
			body: func(m simd, x, _ []V) []V { return []V{m.toFloat(x[0])} },
		},
		{
			name: "float32ToInt32", out: []string{"dst"}, in: []string{"src"}, types: "dst []int32, src []float32", unroll: 4,
			body: func(m simd, x, _ []V) []V { return []V{m.truncate(x[0])} },
		},
	},
	optimisers,
)

const notEqualOrdered = 12

func join(lists ...[]elementwise) (all []elementwise) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// truncate converts to int32; what does not fit becomes -2^31.
func (m simd) truncate(x V) V {
	d := m.reg()
	m.do(func() { VCVTTPS2DQ(x, d) })
	return d
}

// fill writes s into dst.
func (m simd) fill() {
	TEXT("fill"+m.suffix, NOSPLIT, "func(dst []float32, s float32)")
	p := Load(Param("dst").Base(), GP64())
	n := Load(Param("dst").Len(), GP64())
	c, _ := Param("s").Resolve()
	v := m.reg()
	VBROADCASTSS(c.Addr, v)
	Label("loop")
	CMPQ(n, U32(m.lanes))
	JLT(LabelRef("rest"))
	VMOVUPS(v, Mem{Base: p})
	ADDQ(U32(m.bytes()), p)
	SUBQ(U32(m.lanes), n)
	JMP(LabelRef("loop"))
	Label("rest")
	TESTQ(n, n)
	JLE(LabelRef("done"))
	m.storePart(m.tail(n.(GPVirtual)), v, Mem{Base: p})
	Label("done")
	VZEROUPPER()
	RET()
}
