package op

import (
	"fmt"
	"slices"

	"aetrain/graph"
)

func init() { add(reshape{}) }

// Reshape gives x other axes over the same elements in row-major order; it costs nothing. One of dims may be -1: what is left.
func Reshape(x graph.Value, dims ...int) graph.Value {
	shape := graph.Shape(dims).Clone()
	if i := slices.Index(shape, -1); i >= 0 { // a second one stays and is refused
		shape[i] = 1
		if rest := shape.Size(); rest > 0 {
			shape[i] = x.Shape().Size() / rest
		}
	}
	if x.Shape().Equal(shape) {
		return x
	}
	return apply(reshape{Dims: shape}, x)
}

// Flatten gives x two axes: its first, and all the others in one.
func Flatten(x graph.Value) graph.Value { return Reshape(x, x.Dim(0), -1) }

type reshape struct{ Dims graph.Shape }

func (reshape) Name() string { return "Reshape" }

func (r reshape) Infer(in []graph.Spec) ([]graph.Spec, error) {
	for _, d := range r.Dims {
		if d < 0 {
			return nil, fmt.Errorf("%v has a negative size", []int(r.Dims))
		}
	}
	if r.Dims.Size() != in[0].Shape.Size() {
		return nil, fmt.Errorf("%v has %d elements, %v has %d", in[0].Shape, in[0].Shape.Size(), r.Dims, r.Dims.Size())
	}
	return []graph.Spec{{Shape: r.Dims, DType: in[0].DType}}, nil
}

func (reshape) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return one(Reshape(dOut[0], n.In[0].Shape()...))
}

func (reshape) Eval(out, in []graph.Tensor) { copy(out[0].Data, in[0].Data) }

func (reshape) Examples() []graph.Example {
	to := func(arg graph.Arg, dims ...int) graph.Example {
		return graph.Example{Op: reshape{Dims: dims}, Args: []graph.Arg{arg}}
	}
	return []graph.Example{to(f32(2, 6), 3, 4), to(f32(2, 3, 4), 24), to(f32(1))}
}
