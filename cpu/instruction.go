package cpu

import (
	"aetrain/cpu/vec"
	"aetrain/graph"
	"aetrain/op"
)

// point says how an op of a chain is computed: for operands that are vectors, and for a scalar on either side.
// What has no form for scalars gets them spread over a block.
type point struct {
	unary  vec.Unary
	binary vec.Binary
	right  vec.Scalar // second operand is the scalar
	left   vec.Scalar // first operand is the scalar
	three  vec.Ternary
}

// points are the ops without attributes, by name.
func points(k *vec.Kernels) map[string]point {
	swap := func(f vec.Scalar) vec.Scalar { return f } // commutative: either side
	return map[string]point{
		"Add": {binary: k.Add, right: k.AddS, left: swap(k.AddS)},
		"Sub": {binary: k.Sub, right: func(dst, x []float32, s float32) { k.AddS(dst, x, -s) }, left: k.SubRS},
		"Mul": {binary: k.Mul, right: k.MulS, left: swap(k.MulS)},
		"Div": {binary: k.Div, left: k.DivRS},
		"Pow": {binary: k.Pow, right: k.PowS},

		"Maximum": {binary: k.Max}, "Minimum": {binary: k.Min},
		"Greater":      {binary: k.Greater, right: k.GreaterS, left: k.LessS},
		"GreaterEqual": {binary: k.GreaterEqual, right: k.GreaterEqualS, left: k.LessEqualS},
		"Less":         {binary: k.Less, right: k.LessS, left: k.GreaterS},
		"LessEqual":    {binary: k.LessEqual, right: k.LessEqualS, left: k.GreaterEqualS},
		"Equal":        {binary: k.Equal, right: k.EqualS, left: k.EqualS},
		"NotEqual":     {binary: k.NotEqual, right: k.NotEqualS, left: k.NotEqualS},
		"Select":       {three: k.Select},

		"Neg": {unary: k.Neg}, "Abs": {unary: k.Abs}, "Square": {unary: k.Square}, "Sqrt": {unary: k.Sqrt},
		"Rsqrt": {unary: k.Rsqrt}, "Reciprocal": {unary: k.Recip}, "Exp": {unary: k.Exp}, "Expm1": {unary: k.Expm1},
		"Log": {unary: k.Log}, "Log1p": {unary: k.Log1p}, "Sin": {unary: k.Sin}, "Cos": {unary: k.Cos}, "Tanh": {unary: k.Tanh},
		"Sigmoid": {unary: k.Sigmoid}, "Softplus": {unary: k.Softplus}, "Erf": {unary: k.Erf}, "Sign": {unary: k.Sign},
		"Floor": {unary: k.Floor}, "Round": {unary: k.Round}, "ReLU": {unary: k.ReLU}, "GELU": {unary: k.GELU}, "SiLU": {unary: k.SiLU},
		"IsFinite": {unary: isFinite},

		"ReLUGrad": {binary: k.ReLUGrad}, "SigmoidGrad": {binary: k.SigmoidGrad}, "TanhGrad": {binary: k.TanhGrad},
		"GELUGrad": {binary: k.GELUGrad}, "SiLUGrad": {binary: k.SiLUGrad}, "BCEWithLogits": {binary: k.BCEWithLogits},
		"SquaredError": {binary: func(dst, a, b []float32) { k.Sub(dst, a, b); k.Square(dst, dst) }},
	}
}

// attributed are the ops whose kernel takes numbers from the op itself.
func attributed(k *vec.Kernels, o graph.Op) (point, bool) {
	switch o := o.(type) {
	case op.Scaled:
		c := float32(o.C)
		return point{unary: func(dst, x []float32) { k.MulS(dst, x, c) }}, true
	case op.AddConstOp:
		c := float32(o.C)
		return point{unary: func(dst, x []float32) { k.AddS(dst, x, c) }}, true
	case op.LeakyReLUOp:
		s := float32(o.Slope)
		return point{unary: func(dst, x []float32) { k.LeakyReLU(dst, x, s) }}, true
	case op.ELUOp:
		a := float32(o.Alpha)
		return point{unary: func(dst, x []float32) { k.ELU(dst, x, a) }}, true
	case op.ELUGradOp:
		a := float32(o.Alpha)
		return point{binary: func(dst, y, dy []float32) { k.ELUGrad(dst, y, dy, a) }}, true
	case op.LeakyReLUGradOp:
		s := float32(o.Slope)
		return point{binary: func(dst, y, dy []float32) { k.LeakyReLUGrad(dst, y, dy, s) }}, true
	case op.ClampOp:
		lo, hi := float32(o.Lo), float32(o.Hi)
		return point{unary: func(dst, x []float32) { k.MaxS(dst, x, lo); k.MinS(dst, dst, hi) }}, true
	}
	return point{}, false
}

func isFinite(dst, x []float32) {
	for i, v := range x {
		dst[i] = 0
		if v-v == 0 {
			dst[i] = 1
		}
	}
}

// instruction writes the code of node n.
func (k *compiler) instruction(n *graph.Node, out, in []*slot) instr {
	if f := k.special(n, out, in); f != nil {
		return f
	}
	v := k.b.b.vec
	p, ok := attributed(v, n.Op)
	if !ok {
		p, ok = points(v)[n.Op.Name()]
	}
	if !ok || out[0].place == wide || anyWide(in) {
		return k.evaluate(n, out, in)
	}
	dst := out[0]
	switch {
	case p.unary != nil:
		return k.unary(p.unary, dst, in[0])
	case p.three != nil:
		a, b, c := k.vector(in[0]), k.vector(in[1]), k.vector(in[2])
		return func(w *worker, off, n int) {
			p.three(dst.at(w, off, n), a.at(w, off, n), b.at(w, off, n), c.at(w, off, n))
		}
	case in[1].place == scalar && p.right != nil:
		a, s := k.vector(in[0]), in[1]
		return func(w *worker, off, n int) { p.right(dst.at(w, off, n), a.at(w, off, n), s.number()) }
	case in[0].place == scalar && p.left != nil:
		s, b := in[0], k.vector(in[1])
		return func(w *worker, off, n int) { p.left(dst.at(w, off, n), b.at(w, off, n), s.number()) }
	}
	a, b := k.vector(in[0]), k.vector(in[1])
	return func(w *worker, off, n int) { p.binary(dst.at(w, off, n), a.at(w, off, n), b.at(w, off, n)) }
}

func (k *compiler) unary(f vec.Unary, dst, in *slot) instr {
	x := k.vector(in)
	return func(w *worker, off, n int) { f(dst.at(w, off, n), x.at(w, off, n)) }
}

// vector makes a scalar operand a block; others stay as they are.
func (k *compiler) vector(s *slot) *slot {
	if s.place != scalar {
		return s
	}
	k.out.temps++
	t := &slot{place: block, temp: k.out.temps - 1}
	fill := k.b.b.vec.Fill
	k.emit(func(w *worker, off, n int) { fill(w.chain.blocks[t.temp][:n], s.number()) })
	return t
}

func anyWide(slots []*slot) bool {
	for _, s := range slots {
		if s.place == wide || s.place == scalar && s.mem.dtype != graph.Float32 {
			return true
		}
	}
	return false
}

// special are ops with several outputs, any number of inputs, or other types than float32.
func (k *compiler) special(n *graph.Node, out, in []*slot) instr {
	switch n.Op.(type) {
	case graph.Sum:
		return k.sum(out[0], in)
	case op.CastOp:
		return k.cast(out[0], in[0], n.Out[0].DType)
	}
	switch n.Op.Name() {
	case "Increment":
		return increment(out[0], in[0])
	case "AddInt":
		return addInt(out[0], in[0], in[1])
	default:
		return k.update(n.Op, out, in)
	}
}

// increment adds 1 to integers.
func increment(dst, src *slot) instr {
	return func(_ *worker, off, n int) {
		for i := off; i < off+n; i++ {
			dst.mem.i32[i] = src.integer(i) + 1
		}
	}
}

// addInt adds integers.
func addInt(dst, a, b *slot) instr {
	return func(_ *worker, off, n int) {
		for i := off; i < off+n; i++ {
			dst.mem.i32[i] = a.integer(i) + b.integer(i)
		}
	}
}

// integer is element i of a slot of int32.
func (s *slot) integer(i int) int32 {
	if s.place == scalar {
		i = 0
	}
	return s.mem.i32[i]
}

// sum adds any number of operands. One that out overwrites comes first.
func (k *compiler) sum(dst *slot, in []*slot) instr {
	add := k.b.b.vec.Add
	vs := make([]*slot, 0, len(in))
	for _, s := range in {
		v := k.vector(s)
		if overlaps(dst, v) {
			vs = append([]*slot{v}, vs...)
		} else {
			vs = append(vs, v)
		}
	}
	if len(vs) > 2 && overlaps(dst, vs[2]) {
		// Three times the same memory: too rare for better. A block of its own, because the operands' are free by now.
		k.out.temps++
		tmp := slot{place: block, temp: k.out.temps - 1}
		return func(w *worker, off, n int) {
			t := tmp.at(w, off, n)
			add(t, vs[0].at(w, off, n), vs[1].at(w, off, n))
			for _, v := range vs[2:] {
				add(t, t, v.at(w, off, n))
			}
			copy(dst.at(w, off, n), t)
		}
	}
	return func(w *worker, off, n int) {
		d := dst.at(w, off, n)
		add(d, vs[0].at(w, off, n), vs[1].at(w, off, n))
		for _, v := range vs[2:] {
			add(d, d, v.at(w, off, n))
		}
	}
}

func overlaps(a, b *slot) bool {
	switch {
	case a.place != b.place:
		return false
	case a.place == block:
		return a.temp == b.temp
	}
	return a.place == dense && same(a.mem, b.mem)
}

// evaluate runs a pointwise op without a kernel by its definition, an element range at a time.
func (k *compiler) evaluate(n *graph.Node, out, in []*slot) instr {
	k.b.evaluated = append(k.b.evaluated, n.Op.Name())
	return func(w *worker, off, m int) {
		ts, os := make([]graph.Tensor, len(in)), make([]graph.Tensor, len(out))
		for i, s := range in {
			ts[i] = readTensor(w, s, n.In[i].Spec().DType, off, m)
		}
		for i := range out {
			os[i] = graph.NewTensor(graph.Spec{Shape: graph.Shape{m}, DType: n.Out[i].DType})
		}
		n.Op.Eval(os, ts)
		for i, s := range out {
			for j, x := range os[i].Data {
				if s.place == wide {
					s.mem.set(off+j, x)
				} else {
					s.at(w, off, m)[j] = float32(x)
				}
			}
		}
	}
}

func readTensor(w *worker, s *slot, d graph.DType, off, n int) graph.Tensor {
	t := graph.NewTensor(graph.Spec{Shape: graph.Shape{n}, DType: d})
	for j := range t.Data {
		switch s.place {
		case scalar:
			t.Data[j] = s.mem.at(0)
		case wide:
			t.Data[j] = s.mem.at(off + j)
		default:
			t.Data[j] = float64(s.at(w, off, n)[j])
		}
	}
	return t
}
