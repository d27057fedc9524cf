package op

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"aetrain/graph"
)

func init() { add(Sorting{}) }

// ArgSort returns, for each row along the last axis of x, the int32 positions of its elements in ascending order. Equal
// elements keep their order, and NaN comes last. There is no gradient; [Gather] what the order should apply to.
// The order of uniform random numbers is a random permutation.
func ArgSort(x graph.Value) graph.Value { return apply(Sorting{}, x) }

// Sorting is the op of [ArgSort].
type Sorting struct{}

// Name returns "ArgSort".
func (Sorting) Name() string { return "ArgSort" }

// Infer keeps the shape.
func (Sorting) Infer(in []graph.Spec) ([]graph.Spec, error) {
	if len(in[0].Shape) < 1 {
		return nil, fmt.Errorf("wants at least one axis to sort along")
	}
	return []graph.Spec{{Shape: in[0].Shape, DType: graph.Int32}}, nil
}

// VJP is nothing: the order is piecewise constant.
func (Sorting) VJP(*graph.Node, []graph.Value) []graph.Value { return one(graph.Value{}) }

// Eval is the definition.
func (Sorting) Eval(out, in []graph.Tensor) {
	n := in[0].Shape[len(in[0].Shape)-1]
	if n == 0 {
		return
	}
	order := make([]int, n)
	for start := 0; start < len(in[0].Data); start += n {
		row := in[0].Data[start : start+n]
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int { return nanLast(row[a], row[b]) })
		for i, at := range order {
			out[0].Data[start+i] = float64(at)
		}
	}
}

// nanLast compares numbers as cmp.Compare does, but NaN is the greatest.
func nanLast(a, b float64) int {
	switch an, bn := math.IsNaN(a), math.IsNaN(b); {
	case an && bn:
		return 0
	case an:
		return 1
	case bn:
		return -1
	}
	return cmp.Compare(a, b)
}

// Examples have ties, too.
func (Sorting) Examples() []graph.Example {
	of := func(x graph.Arg) graph.Example { return graph.Example{Op: Sorting{}, Args: []graph.Arg{x}} }
	return []graph.Example{
		of(f32(7)), of(f32(3, 5)), of(f32(2, 3, 4)), of(f32(4, 1)), of(indices(3, 4, 9)),
		bench(of(f32(128, 784))),
	}
}
