package program

import (
	"math"

	"aetrain/graph"
	"aetrain/op"
)

// neutral drops additions of 0 and multiplications by 1, and turns constants into attributes. 0·x stays: x may be infinite,
// or NaN, and a step that hides it would hide it from the guard too.
func neutral(r *rewriter, o graph.Op, in []graph.Value) graph.Value {
	if len(in) != 2 || !in[0].Spec().Equal(in[1].Spec()) {
		return graph.Value{}
	}
	a, constA := fillOf(in[0])
	b, constB := fillOf(in[1])
	switch o.Name() {
	case "Add":
		if constB {
			return r.plus(in[0], b)
		}
		if constA {
			return r.plus(in[1], a)
		}
	case "Sub":
		if constB {
			return r.plus(in[0], -b)
		}
	case "Mul":
		if constB {
			return r.times(in[0], b)
		}
		if constA {
			return r.times(in[1], a)
		}
	case "Div":
		if constB && ordinary(1/b) {
			return r.times(in[0], 1/b)
		}
	}
	return graph.Value{}
}

func (r *rewriter) plus(x graph.Value, c float64) graph.Value {
	if c == 0 {
		return x
	}
	return r.known(op.AddConst(x, c))
}

func (r *rewriter) times(x graph.Value, c float64) graph.Value {
	if c == 1 {
		return x
	}
	return r.one(op.Scaled{C: c}, x)
}

// scales drops factors of 1 and merges consecutive ones, unless their product leaves the range of float32.
func scales(r *rewriter, o graph.Op, in []graph.Value) graph.Value {
	s, ok := o.(op.Scaled)
	if !ok {
		return graph.Value{}
	}
	if s.C == 1 {
		return in[0]
	}
	if inner, ok := in[0].Node.Op.(op.Scaled); ok && ordinary(s.C*inner.C) {
		return r.times(in[0].Node.In[0], s.C*inner.C)
	}
	return graph.Value{}
}

// ordinary reports whether float32 holds x as a normal number: neither 0, subnormal nor infinite.
func ordinary(x float64) bool {
	a := math.Abs(x)
	return a >= 0x1p-126 && a <= math.MaxFloat32
}

// sums leaves zeros out: gradients of outputs that nobody uses.
func sums(r *rewriter, o graph.Op, in []graph.Value) graph.Value {
	if _, ok := o.(graph.Sum); !ok {
		return graph.Value{}
	}
	var rest []graph.Value
	for _, v := range in {
		if x, ok := fillOf(v); !ok || x != 0 {
			rest = append(rest, v)
		}
	}
	switch len(rest) {
	case 0:
		return in[0]
	case 1:
		return rest[0]
	case len(in):
		return graph.Value{}
	}
	return r.one(graph.Sum{}, rest...)
}
