package op

import (
	"fmt"

	"aetrain/graph"
)

func init() { add(ScatterRows{Rows: 1}) }

// ScatterAdd is the transpose of [Gather]: row i of src is added to row index[i] of a result of so many rows that starts as
// zeros. index is int32 of any shape, src is index.shape ++ row shape. The rows that meet are added in the order of the
// index's positions, on every backend, so the bits are always the same. An index out of range means the nearest row.
func ScatterAdd(index, src graph.Value, rows int) graph.Value {
	return apply(ScatterRows{Rows: rows}, index, src)
}

// ScatterRows is the op of [ScatterAdd].
type ScatterRows struct{ Rows int }

// Name returns "ScatterAdd".
func (ScatterRows) Name() string { return "ScatterAdd" }

// Arguments returns the names of the inputs.
func (ScatterRows) Arguments() []string { return []string{"index", "src"} }

// Infer wants src to begin with index's axes.
func (s ScatterRows) Infer(in []graph.Spec) ([]graph.Spec, error) {
	index, src := in[0], in[1]
	if index.DType != graph.Int32 || src.DType != graph.Float32 {
		return nil, fmt.Errorf("wants an int32 index and float32 rows")
	}
	lead := len(index.Shape)
	if len(src.Shape) < lead || !src.Shape[:lead].Equal(index.Shape) {
		return nil, fmt.Errorf("src must begin with the axes %v of index", index.Shape)
	}
	if s.Rows < 1 {
		return nil, fmt.Errorf("the result cannot have %d rows", s.Rows)
	}
	return sized(graph.Float32, append([]int{s.Rows}, src.Shape[lead:]...)...)
}

// VJP fetches the rows back.
func (s ScatterRows) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return []graph.Value{{}, Gather(dOut[0], n.In[0])}
}

// Eval is the definition.
func (s ScatterRows) Eval(out, in []graph.Tensor) {
	size := out[0].Shape[1:].Size()
	for i, at := range in[0].Data {
		row := clampIndex(at, s.Rows) * size
		for j, v := range in[1].Data[i*size : (i+1)*size] {
			out[0].Data[row+j] += v
		}
	}
}

// Examples are those of [GatherRows], the other way.
func (ScatterRows) Examples() []graph.Example {
	to := func(rows int, index, src graph.Arg) graph.Example {
		return graph.Example{Op: ScatterRows{Rows: rows}, Args: []graph.Arg{index, src}}
	}
	return []graph.Example{
		to(5, indices(5, 7), f32(7, 3)), to(4, indices(4, 2, 3), f32(2, 3, 2, 2)), to(6, indices(6, 4), f32(4)), to(1, indices(1, 3), f32(3, 4)),
		to(5, indices(5), f32(3)), to(3, graph.Arg{Spec: graph.I32(4), Values: []float64{-1, 2, 3, 100}}, f32(4, 2)),
		bench(to(10000, indices(10000, 128, 32), f32(128, 32, 64))),
	}
}
