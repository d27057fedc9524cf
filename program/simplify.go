package program

import (
	"slices"

	"aetrain/graph"
	"aetrain/op"
)

// rule rewrites an op with one output: it returns the value to use instead, or the zero Value where it does not apply.
type rule func(r *rewriter, o graph.Op, in []graph.Value) graph.Value

// simplifications are tried in order on every node; the first that applies wins.
var simplifications = []rule{
	forward, fold, foldFill, neutral, scales, sums, views, hoistBroadcast,
}

// simplify rewrites until nothing gets smaller, twice at the least: a rewrite may enable others on nodes before it.
func simplify(m *module) (*module, error) {
	size := len(m.g.Nodes())
	for range 8 {
		next, err := m.rewrite(simplifications)
		if err != nil {
			return nil, err
		}
		m = next
		if len(m.g.Nodes()) == size {
			break
		}
		size = len(m.g.Nodes())
	}
	return m, nil
}

// forward drops ops that only matter to gradients.
func forward(_ *rewriter, o graph.Op, in []graph.Value) graph.Value {
	if f, ok := o.(interface{ Forwards() int }); ok {
		return in[f.Forwards()]
	}
	return graph.Value{}
}

// foldLimit is the largest constant that folding may create, in elements; larger ones are cheaper to compute than to keep.
const foldLimit = 4096

// fold computes an op of constants.
func fold(r *rewriter, o graph.Op, in []graph.Value) graph.Value {
	if len(in) == 0 {
		return graph.Value{}
	}
	ts, specs := make([]graph.Tensor, len(in)), make([]graph.Spec, len(in))
	for i, v := range in {
		c, ok := v.Node.Op.(graph.Constant)
		if !ok || c.Spec.Shape.Size() > foldLimit {
			return graph.Value{}
		}
		ts[i], specs[i] = graph.NewTensor(c.Spec), c.Spec
		c.Eval(ts[i:i+1], nil)
	}
	out, err := o.Infer(specs)
	if err != nil || len(out) != 1 || out[0].Shape.Size() > foldLimit {
		return graph.Value{}
	}
	t := graph.NewTensor(out[0])
	o.Eval([]graph.Tensor{t}, ts)
	c := graph.Constant{Spec: out[0], Data: t.Data}
	if x, ok := filled(c); ok {
		c.Data = []float64{x}
	}
	return r.one(c)
}

// foldFill computes an op of constants that hold one number each, whatever their size.
func foldFill(r *rewriter, o graph.Op, in []graph.Value) graph.Value {
	if len(in) == 0 {
		return graph.Value{}
	}
	specs := make([]graph.Spec, len(in))
	one := make([]graph.Tensor, len(in))
	for i, v := range in {
		x, ok := fillOf(v)
		if !ok {
			return graph.Value{}
		}
		specs[i] = v.Spec()
		one[i] = graph.Tensor{Spec: graph.Spec{DType: v.Spec().DType}, Data: []float64{x}}
	}
	out, err := o.Infer(specs)
	if err != nil || len(out) != 1 {
		return graph.Value{}
	}
	switch o := o.(type) {
	case op.Pointwise, graph.Sum:
		t := graph.NewTensor(graph.Spec{DType: out[0].DType})
		o.(graph.Op).Eval([]graph.Tensor{t}, one)
		return r.fill(out[0], t.Data[0])
	case op.Reduce:
		return r.fill(out[0], one[0].Data[0]*float64(specs[0].Shape.Size())/float64(max(1, out[0].Shape.Size())))
	}
	if movesOnly(o) {
		return r.fill(out[0], one[0].Data[0])
	}
	return graph.Value{}
}

// movesOnly reports ops that move elements of one input and leave them as they are.
func movesOnly(o graph.Op) bool {
	return slices.Contains([]string{"Reshape", "BroadcastTo", "Transpose", "Slice"}, o.Name())
}

// neutral drops additions of 0 and multiplications by 1, and turns constants into attributes.
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
		if constB && b != 0 {
			return r.times(in[0], 1/b)
		}
	}
	return graph.Value{}
}

func (r *rewriter) plus(x graph.Value, c float64) graph.Value {
	if c == 0 {
		return x
	}
	return op.AddConst(x, c)
}

// times multiplies by a constant. 0·x stays: x may be infinite.
func (r *rewriter) times(x graph.Value, c float64) graph.Value {
	if c == 1 {
		return x
	}
	return r.one(op.Scaled{C: c}, x)
}

// scales merges consecutive factors.
func scales(r *rewriter, o graph.Op, in []graph.Value) graph.Value {
	s, ok := o.(op.Scaled)
	if !ok {
		return graph.Value{}
	}
	if s.C == 1 {
		return in[0]
	}
	if inner, ok := in[0].Node.Op.(op.Scaled); ok {
		return r.times(in[0].Node.In[0], s.C*inner.C)
	}
	return graph.Value{}
}

// sums leaves zeros out.
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
	case len(in):
		return graph.Value{}
	case 0:
		return in[0]
	case 1:
		return rest[0]
	}
	return r.one(graph.Sum{}, rest...)
}

// views merges consecutive reshapes and broadcasts and drops those that change nothing.
func views(r *rewriter, o graph.Op, in []graph.Value) graph.Value {
	switch o.Name() {
	case "Reshape":
		out, _ := o.Infer([]graph.Spec{in[0].Spec()})
		if len(out) == 1 && out[0].Equal(in[0].Spec()) {
			return in[0]
		}
		if in[0].Node.Op.Name() == "Reshape" {
			return r.one(o, in[0].Node.In[0])
		}
	case "BroadcastTo":
		b := o.(op.Broadcast)
		if in[0].Shape().Equal(b.Dims) {
			return in[0]
		}
		if in[0].Node.Op.Name() == "BroadcastTo" {
			return r.one(o, in[0].Node.In[0])
		}
	case "ReduceSum":
		if len(o.(op.Reduce).Axes) == 0 {
			return in[0]
		}
	}
	return graph.Value{}
}

// hoistBroadcast computes a pointwise op before its operands are stretched, where all of them were stretched alike
// (or are constants): scalar arithmetic stays scalar.
func hoistBroadcast(r *rewriter, o graph.Op, in []graph.Value) graph.Value {
	p, ok := o.(op.Pointwise)
	if !ok || len(in) == 0 || p.ScalarInputs(len(in)) != len(in) {
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
	out := r.apply(o, args...)
	if len(out) != 1 {
		return graph.Value{}
	}
	return r.one(op.Broadcast{Dims: in[0].Shape()}, out[0])
}

// fillOf reports whether v is a constant that holds one number, and which.
func fillOf(v graph.Value) (float64, bool) {
	if c, ok := v.Node.Op.(graph.Constant); ok {
		return filled(c)
	}
	return 0, false
}

func filled(c graph.Constant) (float64, bool) {
	if len(c.Data) == 0 {
		return 0, false
	}
	return c.Fill()
}
