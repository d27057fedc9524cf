package op

import (
	"fmt"

	"aetrain/graph"
)

func init() { add(Part{To: 1}) }

// Slice returns the elements from ≤ i < to of x along axis. A negative axis counts from the end. The whole axis is x itself.
func Slice(x graph.Value, axis, from, to int) graph.Value {
	if axis < 0 {
		axis += x.Rank()
	}
	if axis >= 0 && axis < x.Rank() && from == 0 && to == x.Dim(axis) {
		return x
	}
	return apply(Part{Axis: axis, From: from, To: to}, x)
}

// Part is the op of [Slice].
type Part struct{ Axis, From, To int }

// Name returns "Slice".
func (Part) Name() string { return "Slice" }

// Infer wants the range to lie inside the axis.
func (p Part) Infer(in []graph.Spec) ([]graph.Spec, error) {
	if p.Axis < 0 || p.Axis >= len(in[0].Shape) {
		return nil, fmt.Errorf("no axis %d in %v", p.Axis, in[0].Shape)
	}
	shape := in[0].Shape.Clone()
	if p.From < 0 || p.From > p.To || p.To > shape[p.Axis] {
		return nil, fmt.Errorf("%d to %d is no part of axis %d of size %d", p.From, p.To, p.Axis, shape[p.Axis])
	}
	shape[p.Axis] = p.To - p.From
	return []graph.Spec{{Shape: shape, DType: in[0].DType}}, nil
}

// VJP puts zeros where the rest was.
func (p Part) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return one(Pad(dOut[0], p.Axis, p.From, n.In[0].Dim(p.Axis)-p.To, 0))
}

// Eval is the definition.
func (p Part) Eval(out, in []graph.Tensor) {
	inner := in[0].Shape[p.Axis+1:].Size()
	size, part := in[0].Shape[p.Axis]*inner, (p.To-p.From)*inner
	for i := range in[0].Shape[:p.Axis].Size() {
		copy(out[0].Data[i*part:(i+1)*part], in[0].Data[i*size+p.From*inner:])
	}
}

// Examples cut the first, the last and a middle axis.
func (Part) Examples() []graph.Example {
	of := func(axis, from, to int, x graph.Arg) graph.Example {
		return graph.Example{Op: Part{Axis: axis, From: from, To: to}, Args: []graph.Arg{x}}
	}
	return []graph.Example{
		of(0, 1, 3, f32(4, 3)), of(1, 0, 2, f32(3, 5)), of(1, 4, 5, f32(3, 5)), of(2, 1, 3, f32(2, 3, 4, 2)), of(0, 2, 5, f32(7)),
		of(1, 1, 2, indices(9, 2, 3)), bench(of(1, 0, 20, f32(128, 40))),
	}
}
