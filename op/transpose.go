package op

import (
	"fmt"

	"aetrain/graph"
)

func init() { add(TransposeOp{Perm: []int{1, 0}}) }

// Transpose reorders axes: axis i of the result is axis perm[i] of x. Without perm the last two axes change places.
func Transpose(x graph.Value, perm ...int) graph.Value {
	if len(perm) == 0 && x.Rank() >= 2 {
		perm = allAxes(x)
		last := len(perm) - 1
		perm[last], perm[last-1] = last-1, last
	}
	return apply(TransposeOp{Perm: perm}, x)
}

// TransposeOp is the op of [Transpose]; Perm names x's axes in the result's order.
type TransposeOp struct{ Perm []int }

func (TransposeOp) Name() string { return "Transpose" }

func (o TransposeOp) Infer(in []graph.Spec) ([]graph.Spec, error) {
	x := in[0].Shape
	dims, seen := make(graph.Shape, len(o.Perm)), make([]bool, len(x))
	for i, a := range o.Perm {
		if len(o.Perm) != len(x) || a < 0 || a >= len(x) || seen[a] {
			return nil, fmt.Errorf("%v is no order of the axes of %v", o.Perm, x)
		}
		dims[i], seen[a] = x[a], true
	}
	if len(o.Perm) != len(x) {
		return nil, fmt.Errorf("%v is no order of the axes of %v", o.Perm, x)
	}
	return []graph.Spec{{Shape: dims, DType: in[0].DType}}, nil
}

func (o TransposeOp) VJP(_ *graph.Node, dOut []graph.Value) []graph.Value {
	back := make([]int, len(o.Perm))
	for i, a := range o.Perm {
		back[a] = i
	}
	return one(apply(TransposeOp{Perm: back}, dOut[0]))
}

func (o TransposeOp) Eval(out, in []graph.Tensor) {
	strides := o.Strides(in[0].Shape)
	walk(out[0].Shape, func(i int, index []int) {
		at := 0
		for a, k := range index {
			at += k * strides[a]
		}
		out[0].Data[i] = in[0].Data[at]
	})
}

// Strides are the steps from element to element of x along the axes of the result; those along axes of one element are 0.
func (o TransposeOp) Strides(x graph.Shape) []int {
	strides, own := make([]int, len(o.Perm)), BroadcastStrides(x, x)
	for i, a := range o.Perm {
		strides[i] = own[a]
	}
	return strides
}

// Matrices reports whether the order of axes is that of a batch of rows×cols matrices, which are transposed each.
func (o TransposeOp) Matrices(x graph.Shape) (batch, rows, cols int, ok bool) {
	lead := 0
	for lead < len(o.Perm) && o.Perm[lead] == lead {
		lead++
	}
	if lead == len(o.Perm) {
		return 0, 0, 0, false
	}
	first := o.Perm[lead] // this axis and all behind it come first now, then those in between
	for i := lead; i < len(o.Perm); i++ {
		want := first + i - lead
		if want >= len(x) {
			want -= len(x) - lead
		}
		if o.Perm[i] != want {
			return 0, 0, 0, false
		}
	}
	return x[:lead].Size(), x[lead:first].Size(), x[first:].Size(), true
}

func (TransposeOp) Examples() []graph.Example {
	of := func(arg graph.Arg, perm ...int) graph.Example {
		return graph.Example{Op: TransposeOp{Perm: perm}, Args: []graph.Arg{arg}}
	}
	return []graph.Example{
		of(f32(3, 5), 1, 0), of(f32(7), 0), of(f32(2, 3, 4), 2, 0, 1), of(f32(2, 3, 4, 5), 0, 2, 3, 1), of(f32(2, 3, 4, 5), 3, 1, 2, 0),
		of(f32()), of(graph.Arg{Spec: graph.I32(3, 4), From: -9, To: 9}, 1, 0), of(graph.Arg{Spec: graph.U8(2, 3, 1), From: 0, To: 256}, 2, 1, 0),
		bench(of(f32(400, 784), 1, 0)), bench(of(f32(32, 28, 28, 16), 0, 3, 1, 2)),
	}
}
