package op

import (
	"errors"
	"fmt"

	"aetrain/graph"
)

// reduceToExtreme is the shape rule of ReduceMax and ReduceMin.
func reduceToExtreme(x graph.Spec, axes []int) ([]graph.Spec, error) {
	if x.DType != graph.Float32 {
		return nil, fmt.Errorf("wants float32 values, got %v", x.DType)
	}
	shape, err := reducedShape(x.Shape, axes)
	if err == nil && x.Shape.Size() == 0 && shape.Size() > 0 {
		err = errors.New("there is no element to choose")
	}
	return []graph.Spec{{Shape: shape}}, err
}

// toExtremes sends d, the gradient of an extreme over axes, to the elements that attain it, in equal parts.
func toExtremes(n *graph.Node, d graph.Value, axes []int) graph.Value {
	x := n.In[0]
	attains := Equal(x, expandAxes(n.Value(0), x.Shape(), axes))
	share := Div(d, ReduceSum(attains, axes...))
	return Select(attains, expandAxes(share, x.Shape(), axes), filled(x, 0))
}

// extremes are the examples of ReduceMax and ReduceMin.
func extremes(over func(axes []int) graph.Op) []graph.Example {
	of := func(arg graph.Arg, axes ...int) graph.Example {
		return graph.Example{Op: over(axes), Args: []graph.Arg{arg}, Kinked: true}
	}
	return []graph.Example{
		of(f32(3, 5), 0), of(f32(3, 5), 1), of(f32(3, 5), 0, 1), of(f32(7), 0), of(f32(2, 3, 4, 5), 0, 2, 3), of(f32(2, 3, 4, 5), 1),
		of(f32(2, 3, 4, 5), 1, 3), of(f32(1, 1), 1), bench(of(f32(128, 784), 1)),
	}
}

// larger and smaller are NaN where either is; math.Max and math.Min prefer an infinity to it, which would hide it.
func larger(a, b float64) float64  { return max(a, b) }
func smaller(a, b float64) float64 { return min(a, b) }
