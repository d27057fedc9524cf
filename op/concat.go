package op

import (
	"fmt"

	"aetrain/graph"
)

func init() { add(Concatenation{}) }

// Concat joins values of one type along axis, where their sizes may differ; all other axes are equal.
// A negative axis counts from the end.
func Concat(axis int, xs ...graph.Value) graph.Value {
	if len(xs) == 1 {
		return xs[0]
	}
	if len(xs) > 0 && axis < 0 {
		axis += xs[0].Rank()
	}
	return apply(Concatenation{Axis: axis}, xs...)
}

// Concatenation is the op of [Concat].
type Concatenation struct{ Axis int }

// Name returns "Concat".
func (Concatenation) Name() string { return "Concat" }

// Infer adds the sizes along Axis.
func (c Concatenation) Infer(in []graph.Spec) ([]graph.Spec, error) {
	if len(in) == 0 {
		return nil, fmt.Errorf("nothing to join")
	}
	if c.Axis < 0 || c.Axis >= len(in[0].Shape) {
		return nil, fmt.Errorf("no axis %d in %v", c.Axis, in[0].Shape)
	}
	shape := in[0].Shape.Clone()
	for _, s := range in[1:] {
		if s.DType != in[0].DType || len(s.Shape) != len(shape) {
			return nil, fmt.Errorf("%v and %v do not join", in[0], s)
		}
		for a, d := range s.Shape {
			if a != c.Axis && d != shape[a] {
				return nil, fmt.Errorf("%v and %v differ in axis %d", in[0].Shape, s.Shape, a)
			}
		}
		shape[c.Axis] += s.Shape[c.Axis]
	}
	return sized(in[0].DType, shape...)
}

// VJP cuts the gradient apart again.
func (c Concatenation) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	d, from := make([]graph.Value, len(n.In)), 0
	for i, x := range n.In {
		d[i] = Slice(dOut[0], c.Axis, from, from+x.Dim(c.Axis))
		from += x.Dim(c.Axis)
	}
	return d
}

// Eval is the definition.
func (c Concatenation) Eval(out, in []graph.Tensor) {
	size := out[0].Shape[c.Axis:].Size()
	at := 0
	for _, x := range in {
		part := x.Shape[c.Axis:].Size()
		for i := range out[0].Shape[:c.Axis].Size() {
			copy(out[0].Data[i*size+at:], x.Data[i*part:(i+1)*part])
		}
		at += part
	}
}

// Examples join along the first, the last and a middle axis.
func (Concatenation) Examples() []graph.Example {
	along := func(axis int, args ...graph.Arg) graph.Example {
		return graph.Example{Op: Concatenation{Axis: axis}, Args: args}
	}
	return []graph.Example{
		along(0, f32(2, 3), f32(1, 3)), along(1, f32(2, 3), f32(2, 1), f32(2, 4)), along(1, f32(2, 1, 3, 2), f32(2, 2, 3, 2)),
		along(0, f32(3), f32(4)), along(1, indices(9, 2, 2), indices(9, 2, 3)),
		bench(along(1, f32(128, 784), f32(128, 10))),
	}
}
