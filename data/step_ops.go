package data

import (
	"fmt"

	"aetrain/graph"
	"aetrain/op"
)

// Transforms as ops: where the training split lies in the device's memory, what is drawn anew each epoch, and what follows it, is part
// of the training program. A transform's form in ops stands beside its Apply and draws by the same counters, so that a batch is the
// same whether it is fed or made there: to the bit where both only pick, compare or round each operation, else to float32's rounding.

// opStep is a Step that exists as ops too.
type opStep interface {
	// Ops turns x, N examples before the step, into N examples of training after it. Its error is a sentence.
	Ops(x graph.Value, d OpDraw) (graph.Value, error)
}

// OpDraw addresses the random numbers of a batch in a graph, as [Draw] does those of one example.
type OpDraw struct {
	Seed  graph.Value // int32 of 2, the low word first
	Epoch graph.Value // int32
	Rows  graph.Value // int32 of N: the examples' places in the split

	stream uint32
}

// uniform draws numbers in [0,1) for N examples: element i of an example is word i%4 of block i/4.
func (d OpDraw) uniform(dims ...int) graph.Value {
	return graph.Apply(op.UniformOp{Stream: d.stream, Dims: dims}, d.Seed, d.Epoch, d.Rows)[0]
}

// normal draws standard normal numbers, those of [philox.Normals].
func (d OpDraw) normal(dims ...int) graph.Value {
	return graph.Apply(op.NormalOp{Stream: d.stream, Dims: dims}, d.Seed, d.Epoch, d.Rows)[0]
}

// symmetric makes numbers in [-1,1) of those in [0,1).
func symmetric(u graph.Value) graph.Value { return op.AddConst(op.Scale(u, 2), -1) }

// word is column i of u, N×k: N×1.
func word(u graph.Value, i int) graph.Value { return op.Slice(u, 1, i, i+1) }

// numbers is a constant of these dims that holds f(i) at place i.
func numbers(x graph.Value, f func(i int) float64, dims ...int) graph.Value {
	values := make([]float64, graph.Shape(dims).Size())
	for i := range values {
		values[i] = f(i)
	}
	return x.Graph().Constant(graph.F32(dims...), values...)
}

// learnt is a constant of these dims.
func learnt(x graph.Value, values []float32, dims ...int) graph.Value {
	return numbers(x, func(i int) float64 { return float64(values[i]) }, dims...)
}

// mostPicked is how many pixels a plane may have for its places to be whole numbers in float32.
const mostPicked = 1 << 24

// pick takes pixels of images, N×C×H×W: at is N×(toH·toW), the place y·W + x of each pixel of the result in every plane of its image.
func pick(x, at graph.Value, toH, toW int) (graph.Value, error) {
	n, c, plane := x.Dim(0), x.Dim(1), x.Dim(2)*x.Dim(3)
	if plane > mostPicked {
		return graph.Value{}, fmt.Errorf("images of %dx%d are too large for it", x.Dim(2), x.Dim(3))
	}
	size := toH * toW
	first := make([]float64, n*c) // of each plane
	for i := range first {
		first[i] = float64(i * plane)
	}
	begin := op.BroadcastTo(x.Graph().Constant(graph.I32(n, c, 1), first...), n, c, size)
	inPlane := op.BroadcastTo(op.Reshape(op.Cast(at, graph.Int32), n, 1, size), n, c, size)
	return op.Reshape(op.Gather(op.Reshape(x, n*c*plane), op.AddInt(begin, inPlane)), n, c, toH, toW), nil
}
