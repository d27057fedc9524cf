package op

import (
	"fmt"
	"slices"

	"aetrain/graph"
)

func init() { add(Broadcast{}) }

// BroadcastTo stretches x to shape dims as NumPy does: axes are aligned at the end, missing ones and those of size 1 repeat.
// x itself is returned where it has that shape. The compiler reads a fused operand in place instead of copying it.
func BroadcastTo(x graph.Value, dims ...int) graph.Value {
	if x.Shape().Equal(dims) {
		return x
	}
	return apply(Broadcast{Dims: dims}, x)
}

// Broadcast is the op of [BroadcastTo]; Dims is the result's shape.
type Broadcast struct{ Dims graph.Shape }

func (Broadcast) Name() string { return "BroadcastTo" }

func (b Broadcast) Infer(in []graph.Spec) ([]graph.Spec, error) {
	if s, ok := broadcastShape(b.Dims, in[0].Shape); !ok || !s.Equal(b.Dims) || slices.ContainsFunc(b.Dims, func(d int) bool { return d < 0 }) {
		return nil, fmt.Errorf("%v does not stretch to %v", in[0].Shape, b.Dims)
	}
	return []graph.Spec{{Shape: b.Dims, DType: in[0].DType}}, nil
}

// The gradient adds up what was repeated.
func (b Broadcast) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return one(sumTo(dOut[0], n.In[0].Shape()))
}

// sumTo is the transpose of BroadcastTo: it sums x over the axes that shape repeats.
func sumTo(x graph.Value, shape graph.Shape) graph.Value {
	lead := x.Rank() - len(shape)
	var axes []int
	for i := range x.Rank() {
		if i < lead || shape[i-lead] == 1 && x.Dim(i) != 1 {
			axes = append(axes, i)
		}
	}
	return Reshape(ReduceSum(x, axes...), shape...)
}

func (b Broadcast) Eval(out, in []graph.Tensor) {
	strides := BroadcastStrides(in[0].Shape, b.Dims)
	walk(b.Dims, func(i int, index []int) {
		at := 0
		for a, k := range index {
			at += k * strides[a]
		}
		out[0].Data[i] = in[0].Data[at]
	})
}

// BroadcastStrides are the steps from element to element of x along the axes of dims, to which it is stretched: 0 where an axis repeats.
func BroadcastStrides(x, dims graph.Shape) []int {
	strides, lead, step := make([]int, len(dims)), len(dims)-len(x), 1
	for i := len(x) - 1; i >= 0; i-- {
		if x[i] != 1 {
			strides[lead+i] = step
		}
		step *= x[i]
	}
	return strides
}

// walk calls f for every index of shape, in row-major order; f must not keep index.
func walk(shape graph.Shape, f func(i int, index []int)) {
	index := make([]int, len(shape))
	for i := range shape.Size() {
		f(i, index)
		for a := len(shape) - 1; a >= 0; a-- {
			if index[a]++; index[a] < shape[a] {
				break
			}
			index[a] = 0
		}
	}
}

func (Broadcast) Examples() []graph.Example {
	to := func(arg graph.Arg, dims ...int) graph.Example {
		return graph.Example{Op: Broadcast{Dims: dims}, Args: []graph.Arg{arg}}
	}
	return []graph.Example{
		to(f32(), 2, 3), to(f32(5), 4, 5), to(f32(4, 1), 4, 5), to(f32(3, 1, 1), 2, 3, 4, 5), to(f32(2, 1, 4, 1), 2, 3, 4, 5),
		bench(to(f32(400), 128, 400)),
	}
}
