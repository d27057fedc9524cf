package program

import (
	"slices"

	"aetrain/graph"
	"aetrain/op"
)

// reshape gives x another shape, by the node that does so already if there is one.
func (r *rewriter) reshape(x graph.Value, dims graph.Shape) graph.Value {
	if x.Shape().Equal(dims) {
		return x
	}
	return r.known(op.Reshape(x, dims...))
}

// reshapes drops reshapes that change nothing, merges consecutive ones, and moves a reshape before a broadcast, which is then
// read in place by what follows.
func reshapes(r *rewriter, o graph.Op, in []graph.Value) graph.Value {
	if o.Name() != "Reshape" {
		return graph.Value{}
	}
	out, err := o.Infer([]graph.Spec{in[0].Spec()})
	if err != nil {
		return graph.Value{}
	}
	dims := out[0].Shape
	if dims.Equal(in[0].Shape()) {
		return in[0]
	}
	if in[0].Node.Op.Name() == "Reshape" {
		return r.reshape(in[0].Node.In[0], dims)
	}
	if b, ok := in[0].Node.Op.(op.Broadcast); ok {
		x := in[0].Node.In[0]
		if small, ok := unstretched(x.Shape(), b.Dims, dims); ok {
			return r.stretch(r.reshape(x, small), dims)
		}
	}
	return graph.Value{}
}

// unstretched is the shape that x has to have so that stretching it to "to" gives what stretching it to "from" and reshaping
// gives. from and to are cut into the shortest runs of axes of equal size; in each run x must be repeated along all axes
// or along none.
func unstretched(x, from, to graph.Shape) (graph.Shape, bool) {
	if from.Size() == 0 {
		return nil, false
	}
	lead := len(from) - len(x)
	repeats := func(i int) bool { return i < lead || x[i-lead] == 1 }
	small := graph.Shape{}
	for i, j := 0, 0; i < len(from) || j < len(to); {
		i0, j0, sizeFrom, sizeTo := i, j, 1, 1
		for { // at least one axis of each, then until both runs have one size
			switch {
			case i < len(from) && (i == i0 || sizeFrom < sizeTo):
				sizeFrom *= from[i]
				i++
			case j < len(to) && (j == j0 || sizeTo < sizeFrom):
				sizeTo *= to[j]
				j++
			}
			if sizeFrom == sizeTo && (i > i0 || i == len(from)) && (j > j0 || j == len(to)) {
				break
			}
		}
		some, all := false, true
		for k := i0; k < i; k++ {
			if from[k] != 1 {
				some, all = some || repeats(k), all && repeats(k)
			}
		}
		switch {
		case !some:
			small = append(small, to[j0:j]...)
		case all:
			for range j - j0 {
				small = append(small, 1)
			}
		case slices.Equal(from[i0:i], to[j0:j]):
			for k := i0; k < i; k++ {
				if repeats(k) {
					small = append(small, 1)
				} else {
					small = append(small, from[k])
				}
			}
		default:
			return nil, false
		}
	}
	return small, true
}

// broadcasts merges consecutive broadcasts, and makes those that repeat nothing reshapes.
func broadcasts(r *rewriter, o graph.Op, in []graph.Value) graph.Value {
	b, ok := o.(op.Broadcast)
	if !ok {
		return graph.Value{}
	}
	if in[0].Shape().Size() == b.Dims.Size() {
		return r.reshape(in[0], b.Dims)
	}
	if in[0].Node.Op.Name() == "BroadcastTo" {
		return r.one(o, in[0].Node.In[0])
	}
	return graph.Value{}
}

// transposes merges consecutive transposes, makes those that only move axes of size 1 reshapes, and lets a product compute its
// transpose, (a·b)ᵀ = bᵀ·aᵀ, if nobody wants it as it was: the gradient of tied weights.
func transposes(r *rewriter, o graph.Op, in []graph.Value) graph.Value {
	t, ok := o.(op.TransposeOp)
	if !ok {
		return graph.Value{}
	}
	x := in[0].Shape()
	last, moved, dims := -1, false, graph.Shape{}
	for _, a := range t.Perm {
		dims = append(dims, x[a])
		if x[a] != 1 {
			moved, last = moved || a < last, a
		}
	}
	if !moved {
		return r.reshape(in[0], dims)
	}
	if inner, ok := in[0].Node.Op.(op.TransposeOp); ok {
		perm := make([]int, len(t.Perm))
		for i, a := range t.Perm {
			perm[i] = inner.Perm[a]
		}
		return r.one(op.TransposeOp{Perm: perm}, in[0].Node.In[0])
	}
	if p, ok := in[0].Node.Op.(op.Product); ok && swapsLast(t.Perm) && r.only {
		args := in[0].Node.In
		return r.one(op.Product{TransA: !p.TransB, TransB: !p.TransA}, args[1], args[0])
	}
	return graph.Value{}
}

// products lets a product read a transposed operand as it is.
func products(r *rewriter, o graph.Op, in []graph.Value) graph.Value {
	p, ok := o.(op.Product)
	if !ok {
		return graph.Value{}
	}
	args, found := slices.Clone(in), false
	for i, flag := range []*bool{&p.TransA, &p.TransB} {
		if t, ok := in[i].Node.Op.(op.TransposeOp); ok && swapsLast(t.Perm) {
			args[i], *flag, found = in[i].Node.In[0], !*flag, true
		}
	}
	if !found {
		return graph.Value{}
	}
	return r.one(p, args...)
}

// swapsLast reports orders of axes that exchange the last two.
func swapsLast(perm []int) bool {
	n := len(perm)
	for i, a := range perm {
		want := i
		if i >= n-2 {
			want = 2*n - 3 - i
		}
		if a != want {
			return false
		}
	}
	return n >= 2
}

// reductions drops sums over nothing: over no axes, or over axes of size 1. Sums along axes that a broadcast has repeated are
// multiplications: they come from means of what is the same for all elements, in gradients of normalisations.
func reductions(r *rewriter, o graph.Op, in []graph.Value) graph.Value {
	s, ok := o.(op.Reduce)
	if !ok {
		return graph.Value{}
	}
	kept, dims := graph.Shape{}, in[0].Shape()
	for i, d := range dims {
		if !slices.Contains(s.Axes, i) {
			kept = append(kept, d)
		}
	}
	if kept.Size() == dims.Size() {
		return r.reshape(in[0], kept)
	}
	if _, ok := in[0].Node.Op.(op.Broadcast); !ok || kept.Size() == 0 {
		return graph.Value{}
	}
	x := in[0].Node.In[0]
	lead, times, axes := len(dims)-x.Rank(), 1, []int{}
	for _, a := range s.Axes {
		if a < lead || x.Dim(a-lead) == 1 {
			times *= dims[a]
		}
		if a >= lead {
			axes = append(axes, a-lead)
		}
	}
	if times <= 1 {
		return graph.Value{}
	}
	if len(axes) > 0 {
		x = r.one(op.Reduce{Axes: axes}, x)
	}
	return r.stretch(r.times(x, float64(times)), kept)
}

// stretch broadcasts x unless it has that shape.
func (r *rewriter) stretch(x graph.Value, dims graph.Shape) graph.Value {
	if x.Shape().Equal(dims) {
		return x
	}
	return r.one(op.Broadcast{Dims: dims}, x)
}

// hoistBroadcast computes a pointwise op before its operands are stretched, where all of them were stretched alike
// (or are constants): scalar arithmetic stays scalar.
func hoistBroadcast(r *rewriter, o graph.Op, in []graph.Value) graph.Value {
	_, sum := o.(graph.Sum)
	p, ok := o.(op.Pointwise)
	if !ok && !sum || len(in) == 0 || ok && p.ScalarInputs(len(in)) != len(in) {
		return graph.Value{}
	}
	var small graph.Shape
	found := false
	for _, v := range in {
		if _, isFill := fillOf(v); isFill {
			continue
		}
		b, ok := v.Node.Op.(op.Broadcast)
		if !ok || found && !v.Node.In[0].Shape().Equal(small) || !b.Dims.Equal(in[0].Shape()) {
			return graph.Value{}
		}
		small, found = v.Node.In[0].Shape(), true
	}
	if !found {
		return graph.Value{}
	}
	args := make([]graph.Value, len(in))
	for i, v := range in {
		if x, isFill := fillOf(v); isFill {
			args[i] = r.fill(graph.Spec{Shape: small, DType: v.Spec().DType}, x)
		} else {
			args[i] = v.Node.In[0]
		}
	}
	return r.one(op.Broadcast{Dims: in[0].Shape()}, r.one(o, args...))
}
