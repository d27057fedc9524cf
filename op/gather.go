package op

import (
	"fmt"

	"aetrain/graph"
)

func init() { add(GatherRows{}) }

// Gather fetches rows: the result at index position i is x[index[i]], so its shape is index.shape ++ x.shape[1:].
// x is of any type; index is int32 of any shape. An index out of range means the nearest row: no index can read outside,
// and data sources refuse such labels and tokens when they read them. The gradient is a [ScatterAdd].
func Gather(x, index graph.Value) graph.Value { return apply(GatherRows{}, x, index) }

// GatherRows is the op of [Gather].
type GatherRows struct{}

// Name returns "Gather".
func (GatherRows) Name() string { return "Gather" }

// Arguments returns the names of the inputs.
func (GatherRows) Arguments() []string { return []string{"x", "index"} }

// Infer wants rows and int32 indices.
func (GatherRows) Infer(in []graph.Spec) ([]graph.Spec, error) {
	x, index := in[0], in[1]
	if index.DType != graph.Int32 {
		return nil, fmt.Errorf("index is %v, wants int32", index.DType)
	}
	if len(x.Shape) < 1 || x.Shape[0] < 1 {
		return nil, fmt.Errorf("x has no rows")
	}
	return sized(x.DType, append(index.Shape.Clone(), x.Shape[1:]...)...)
}

// VJP adds each row of the gradient to the row it came from.
func (GatherRows) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return []graph.Value{ScatterAdd(n.In[1], dOut[0], n.In[0].Dim(0)), {}}
}

// Eval is the definition.
func (GatherRows) Eval(out, in []graph.Tensor) {
	rows := in[0].Shape[0]
	size := in[0].Shape[1:].Size()
	for i, at := range in[1].Data {
		row := clampIndex(at, rows) * size
		copy(out[0].Data[i*size:(i+1)*size], in[0].Data[row:row+size])
	}
}

// Examples have repeated, missing and single rows, indices of several axes, and one row that is asked for out of range.
func (GatherRows) Examples() []graph.Example {
	of := func(x, index graph.Arg) graph.Example {
		return graph.Example{Op: GatherRows{}, Args: []graph.Arg{x, index}}
	}
	bytes := graph.Arg{Spec: graph.U8(6, 5), From: 0, To: 256}
	return []graph.Example{
		of(f32(5, 3), indices(5, 7)), of(f32(4, 2, 3), indices(4, 2, 3)), of(f32(6), indices(6, 4)), of(f32(1, 4), indices(1, 3)),
		of(f32(5, 3), indices(5)), of(f32(3, 2), graph.Arg{Spec: graph.I32(4), Values: []float64{-1, 2, 3, 100}}), of(bytes, indices(6, 9)),
		bench(of(f32(10000, 64), indices(10000, 128, 32))),
	}
}
