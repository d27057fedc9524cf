package program

import (
	"slices"

	"aetrain/graph"
	"aetrain/op"
)

// foldLimit is the largest constant that folding reads or creates, in elements; larger ones are cheaper to compute in a step
// than to keep.
const foldLimit = 4096

// fold computes an op of constants. Broadcasts stay, so that what they repeat is kept once.
func fold(r *rewriter, o graph.Op, in []graph.Value) graph.Value {
	if len(in) == 0 {
		return unify(r, o)
	}
	if _, ok := o.(op.Broadcast); ok {
		return graph.Value{}
	}
	specs := make([]graph.Spec, len(in))
	for i, v := range in {
		c, ok := v.Node.Op.(graph.Constant)
		if !ok || c.Spec.Shape.Size() > foldLimit {
			return graph.Value{}
		}
		specs[i] = c.Spec
	}
	out, err := o.Infer(specs)
	if err != nil || len(out) != 1 || out[0].Shape.Size() > foldLimit {
		return graph.Value{}
	}
	ts := make([]graph.Tensor, len(in))
	for i, v := range in {
		ts[i] = graph.NewTensor(specs[i])
		v.Node.Op.Eval(ts[i:i+1], nil)
	}
	t := graph.NewTensor(out[0])
	o.Eval([]graph.Tensor{t}, ts)
	c := graph.Constant{Spec: out[0], Data: t.Data}
	if x, ok := filled(c); ok {
		c.Data = []float64{x}
	}
	return r.one(c)
}

// unify writes a constant whose elements are one number as that number: it then costs nothing to keep, and rules see it.
func unify(r *rewriter, o graph.Op) graph.Value {
	c, ok := o.(graph.Constant)
	if !ok || len(c.Data) < 2 {
		return graph.Value{}
	}
	if x, ok := filled(c); ok {
		return r.fill(c.Spec, x)
	}
	return graph.Value{}
}

// foldFill computes an op of constants that hold one number each, whatever their size.
func foldFill(r *rewriter, o graph.Op, in []graph.Value) graph.Value {
	if len(in) == 0 {
		return graph.Value{}
	}
	specs, numbers := make([]graph.Spec, len(in)), make([]graph.Tensor, len(in))
	for i, v := range in {
		x, ok := fillOf(v)
		if !ok {
			return graph.Value{}
		}
		specs[i] = v.Spec()
		numbers[i] = graph.Tensor{Spec: graph.Spec{DType: v.Spec().DType}, Data: []float64{x}}
	}
	out, err := o.Infer(specs)
	if err != nil || len(out) != 1 {
		return graph.Value{}
	}
	x := numbers[0].Data[0]
	switch o := o.(type) {
	case op.Pointwise, graph.Sum:
		t := graph.NewTensor(graph.Spec{DType: out[0].DType})
		o.Eval([]graph.Tensor{t}, numbers)
		return r.fill(out[0], t.Data[0])
	case op.Reduce:
		if n := out[0].Shape.Size(); n > 0 {
			return r.fill(out[0], repeated(x, specs[0].Shape.Size()/n))
		}
	case op.Concatenation:
		for _, y := range numbers[1:] {
			if y.Data[0] != x {
				return graph.Value{}
			}
		}
		return r.fill(out[0], x)
	case op.Border:
		if o.Value == x {
			return r.fill(out[0], x)
		}
	}
	if movesOnly(o) {
		return r.fill(out[0], x)
	}
	return graph.Value{}
}

// repeated is the sum of n times x. No numbers at all sum to 0, infinite ones too.
func repeated(x float64, n int) float64 {
	if n == 0 {
		return 0
	}
	return x * float64(n)
}

// movesOnly reports ops that move elements of one input and leave them as they are.
func movesOnly(o graph.Op) bool {
	return slices.Contains([]string{"Reshape", "BroadcastTo", "Transpose", "Slice"}, o.Name())
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
