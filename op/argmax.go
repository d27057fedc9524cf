package op

import (
	"errors"
	"fmt"
	"math"

	"aetrain/graph"
)

func init() { add(argMax{}) }

// ArgMax returns the index of the largest element along the last axis, which disappears, as int32: the first of several,
// and the first NaN if there is one. No gradient flows.
func ArgMax(x graph.Value) graph.Value { return apply(argMax{}, x) }

type argMax struct{}

func (argMax) Name() string { return "ArgMax" }

func (argMax) Infer(in []graph.Spec) ([]graph.Spec, error) {
	x := in[0].Shape
	if in[0].DType != graph.Float32 {
		return nil, fmt.Errorf("wants float32 values, got %v", in[0].DType)
	}
	if len(x) == 0 || x[len(x)-1] == 0 {
		return nil, errors.New("there is no element to choose")
	}
	return []graph.Spec{{Shape: x[:len(x)-1].Clone(), DType: graph.Int32}}, nil
}

func (argMax) VJP(*graph.Node, []graph.Value) []graph.Value { return none(1) }

func (argMax) Eval(out, in []graph.Tensor) {
	size := in[0].Shape[len(in[0].Shape)-1]
	for r := range out[0].Data {
		row, best := in[0].Data[r*size:(r+1)*size], 0
		for i, x := range row {
			if x > row[best] || math.IsNaN(x) && !math.IsNaN(row[best]) {
				best = i
			}
		}
		out[0].Data[r] = float64(best)
	}
}

func (argMax) Examples() []graph.Example {
	of := func(arg graph.Arg) graph.Example {
		return graph.Example{Op: argMax{}, Args: []graph.Arg{arg}, Kinked: true}
	}
	return []graph.Example{
		of(f32(3, 5)), of(f32(7)), of(f32(2, 3, 4)), of(f32(2, 1)),
		of(graph.Arg{Spec: graph.F32(2, 4), Values: []float64{1, 3, 3, 2, -1, -1, -1, -1}}), bench(of(f32(128, 512))),
	}
}
