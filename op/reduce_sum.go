package op

import (
	"fmt"
	"slices"

	"aetrain/graph"
)

func init() { add(Reduce{Axes: []int{0}}) }

// ReduceSum sums x over axes, which disappear; no axes at all leaves x as it is. Negative axes count from the end.
func ReduceSum(x graph.Value, axes ...int) graph.Value {
	if len(axes) == 0 {
		return x
	}
	return apply(Reduce{Axes: sortAxes(x.Rank(), axes)}, x)
}

// SumAll sums all elements of x to a scalar.
func SumAll(x graph.Value) graph.Value { return ReduceSum(x, allAxes(x)...) }

// SumPerExample sums over all axes but the first: the result is N.
func SumPerExample(x graph.Value) graph.Value {
	return ReduceSum(x, allAxes(x)[min(1, x.Rank()):]...) // what stands for nothing has no axes
}

// ReduceMean averages x over axes, which disappear.
func ReduceMean(x graph.Value, axes ...int) graph.Value {
	n := 1
	for _, a := range axes {
		n *= x.Dim(a)
	}
	return Scale(ReduceSum(x, axes...), 1/float64(max(1, n)))
}

// MeanAll averages all elements of x to a scalar.
func MeanAll(x graph.Value) graph.Value { return ReduceMean(x, allAxes(x)...) }

// Reduce is the op of [ReduceSum]; Axes ascend.
type Reduce struct{ Axes []int }

func (Reduce) Name() string { return "ReduceSum" }

func (r Reduce) Infer(in []graph.Spec) ([]graph.Spec, error) {
	if in[0].DType != graph.Float32 {
		return nil, fmt.Errorf("wants float32 values, got %v", in[0].DType)
	}
	shape, err := reducedShape(in[0].Shape, r.Axes)
	return []graph.Spec{{Shape: shape}}, err
}

func (r Reduce) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return one(expandAxes(dOut[0], n.In[0].Shape(), r.Axes))
}

func (r Reduce) Eval(out, in []graph.Tensor) {
	reduce(out[0], in[0], r.Axes, func(acc, x float64) float64 { return acc + x })
}

func (Reduce) Examples() []graph.Example {
	over := func(arg graph.Arg, axes ...int) graph.Example {
		return graph.Example{Op: Reduce{Axes: axes}, Args: []graph.Arg{arg}}
	}
	return []graph.Example{
		over(f32(3, 5), 0), over(f32(3, 5), 1), over(f32(3, 5), 0, 1), over(f32(7), 0),
		over(f32(2, 3, 4, 5), 0, 2, 3), over(f32(2, 3, 4, 5), 1), over(f32(2, 3, 4, 5), 1, 3), over(f32(1, 1), 1),
		bench(over(f32(128, 784), 1)), bench(over(f32(128, 400), 0)),
	}
}

func allAxes(x graph.Value) []int {
	axes := make([]int, max(1, x.Rank()))
	for i := range axes {
		axes[i] = i
	}
	return axes[:x.Rank()]
}

// sortAxes makes axes non-negative and ascending.
func sortAxes(rank int, axes []int) []int {
	sorted := slices.Clone(axes)
	for i, a := range sorted {
		if a < 0 {
			sorted[i] = a + rank
		}
	}
	slices.Sort(sorted)
	return sorted
}

// reducedShape is shape without axes, which must exist and ascend.
func reducedShape(shape graph.Shape, axes []int) (graph.Shape, error) {
	out := graph.Shape{}
	last := -1
	for _, a := range axes {
		if a <= last || a >= len(shape) {
			return nil, fmt.Errorf("no axes %v in %v", axes, shape)
		}
		last = a
	}
	for i, d := range shape {
		if !slices.Contains(axes, i) {
			out = append(out, d)
		}
	}
	return out, nil
}

// expandAxes undoes a reduction: it puts axes of size 1 back and stretches them to shape.
func expandAxes(x graph.Value, shape graph.Shape, axes []int) graph.Value {
	kept := shape.Clone()
	for _, a := range axes {
		kept[a] = 1
	}
	return BroadcastTo(Reshape(x, kept...), shape...)
}

// reduce folds x over axes into out, whose elements are the start.
func reduce(out, x graph.Tensor, axes []int, f func(acc, x float64) float64) {
	strides, step := make([]int, len(x.Shape)), 1
	for i := len(x.Shape) - 1; i >= 0; i-- {
		if !slices.Contains(axes, i) {
			strides[i] = step
			step *= x.Shape[i]
		}
	}
	walk(x.Shape, func(i int, index []int) {
		at := 0
		for a, k := range index {
			at += k * strides[a]
		}
		out.Data[at] = f(out.Data[at], x.Data[i])
	})
}
