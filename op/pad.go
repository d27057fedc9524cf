package op

import (
	"fmt"

	"aetrain/graph"
)

func init() { add(Border{}) }

// Pad adds before and after elements equal to value at the ends of an axis of x. A negative axis counts from the end.
func Pad(x graph.Value, axis, before, after int, value float64) graph.Value {
	if before == 0 && after == 0 {
		return x
	}
	if axis < 0 {
		axis += x.Rank()
	}
	return apply(Border{Axis: axis, Before: before, After: after, Value: value}, x)
}

// Border is the op of [Pad].
type Border struct {
	Axis, Before, After int
	Value               float64
}

// Name returns "Pad".
func (Border) Name() string { return "Pad" }

// Infer lengthens the axis.
func (b Border) Infer(in []graph.Spec) ([]graph.Spec, error) {
	if b.Axis < 0 || b.Axis >= len(in[0].Shape) {
		return nil, fmt.Errorf("no axis %d in %v", b.Axis, in[0].Shape)
	}
	if b.Before < 0 || b.After < 0 || b.Before > maxExtent || b.After > maxExtent {
		return nil, fmt.Errorf("cannot add %d and %d elements", b.Before, b.After)
	}
	shape := in[0].Shape.Clone()
	if shape[b.Axis] > maxElements {
		return nil, fmt.Errorf("axis %d is too large", b.Axis)
	}
	shape[b.Axis] += b.Before + b.After
	return sized(in[0].DType, shape...)
}

// VJP cuts the border off.
func (b Border) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return one(Slice(dOut[0], b.Axis, b.Before, b.Before+n.In[0].Dim(b.Axis)))
}

// Eval is the definition.
func (b Border) Eval(out, in []graph.Tensor) {
	for i := range out[0].Data {
		out[0].Data[i] = b.Value
	}
	inner := in[0].Shape[b.Axis+1:].Size()
	part, size := in[0].Shape[b.Axis]*inner, out[0].Shape[b.Axis]*inner
	for i := range in[0].Shape[:b.Axis].Size() {
		copy(out[0].Data[i*size+b.Before*inner:], in[0].Data[i*part:(i+1)*part])
	}
}

// Examples lengthen the first, the last and a middle axis.
func (Border) Examples() []graph.Example {
	of := func(axis, before, after int, value float64, x graph.Arg) graph.Example {
		return graph.Example{Op: Border{Axis: axis, Before: before, After: after, Value: value}, Args: []graph.Arg{x}}
	}
	return []graph.Example{
		of(0, 1, 2, 0, f32(2, 3)), of(1, 0, 3, -1.5, f32(2, 3)), of(1, 2, 0, 0, f32(2, 3)), of(2, 1, 1, 0.25, f32(2, 1, 3, 2)), of(0, 3, 1, 0, f32(2)),
		of(1, 1, 1, 7, indices(9, 2, 3)), bench(of(1, 10, 10, 0, f32(128, 784))),
	}
}
