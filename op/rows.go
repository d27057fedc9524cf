package op

import (
	"errors"
	"fmt"
	"math"

	"aetrain/graph"
)

// wantRows is the shape rule of ops that turn each row along the last axis into one of the same length.
func wantRows(x graph.Spec) ([]graph.Spec, error) {
	if x.DType != graph.Float32 {
		return nil, fmt.Errorf("wants float32 values, got %v", x.DType)
	}
	if len(x.Shape) == 0 {
		return nil, errors.New("wants at least one axis, got a scalar")
	}
	return []graph.Spec{x}, nil
}

// eachRow calls f for each row along the last axis.
func eachRow(out, in graph.Tensor, f func(y, x []float64)) {
	size := in.Shape[len(in.Shape)-1]
	for i := 0; i < len(in.Data); i += size {
		f(out.Data[i:i+size], in.Data[i:i+size])
	}
}

// sumLast sums along the last axis and stretches the sums to x's shape again.
func sumLast(x graph.Value) graph.Value {
	last := []int{max(0, x.Rank()-1)}
	return expandAxes(ReduceSum(x, last...), x.Shape(), last)
}

// logSumExp is log Σ exp(x), shifted by the largest element so that it never overflows.
func logSumExp(x []float64) float64 {
	top := math.Inf(-1)
	for _, v := range x {
		top = larger(top, v)
	}
	if math.IsInf(top, 0) {
		return top
	}
	sum := 0.0
	for _, v := range x {
		sum += math.Exp(v - top)
	}
	return top + math.Log(sum)
}

// rowExamples are the examples of softmax and its logarithm.
func rowExamples(o graph.Op) []graph.Example {
	of := func(from, to float64, dims ...int) graph.Example { return example(o, 1, from, to, dims...) }
	return []graph.Example{
		of(-3, 3, 3, 7), of(-3, 3, 5), of(-30, 30, 2, 4), of(-3, 3, 2, 3, 4), of(-1, 1, 4, 1), of(-3, 3, 2, 33),
		bench(of(-3, 3, 128, 512)),
	}
}
