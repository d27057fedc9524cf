package op

import (
	"fmt"

	"aetrain/graph"
)

func init() { add(OneHotRows{Classes: 1}) }

// OneHot turns int32 indices of any shape into float32 vectors of length classes, on a new last axis: 1 at the index,
// 0 elsewhere. An index out of range (-1 for "no label") gives zeros alone. There is no gradient.
func OneHot(index graph.Value, classes int) graph.Value {
	return apply(OneHotRows{Classes: classes}, index)
}

// OneHotRows is the op of [OneHot].
type OneHotRows struct{ Classes int }

// Name returns "OneHot".
func (OneHotRows) Name() string { return "OneHot" }

// Infer adds the axis.
func (o OneHotRows) Infer(in []graph.Spec) ([]graph.Spec, error) {
	if in[0].DType != graph.Int32 {
		return nil, fmt.Errorf("index is %v, wants int32", in[0].DType)
	}
	if o.Classes < 1 {
		return nil, fmt.Errorf("there cannot be %d classes", o.Classes)
	}
	return sized(graph.Float32, append(in[0].Shape.Clone(), o.Classes)...)
}

// VJP is nothing: an index has no gradient.
func (OneHotRows) VJP(*graph.Node, []graph.Value) []graph.Value { return one(graph.Value{}) }

// Eval is the definition.
func (o OneHotRows) Eval(out, in []graph.Tensor) {
	for i, at := range in[0].Data {
		if at >= 0 && at < float64(o.Classes) {
			out[0].Data[i*o.Classes+int(at)] = 1
		}
	}
}

// Examples have indices out of range, too.
func (OneHotRows) Examples() []graph.Example {
	of := func(classes int, index graph.Arg) graph.Example {
		return graph.Example{Op: OneHotRows{Classes: classes}, Args: []graph.Arg{index}}
	}
	return []graph.Example{
		of(4, indices(4, 6)), of(3, indices(3)), of(5, indices(5, 2, 3)), of(1, indices(1, 2)),
		of(3, graph.Arg{Spec: graph.I32(4), Values: []float64{-1, 0, 2, 3}}),
		bench(of(10, indices(10, 128))),
	}
}
