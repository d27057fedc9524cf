package nn

import (
	"fmt"

	"aetrain/graph"
	"aetrain/op"
)

func init() { Layers.Add("reshape", func() Layer { return &Reshape{} }) }

// Reshape gives each example other axes over the same elements in row-major order.
type Reshape struct {
	Common
	Shape []int `toml:"shape" required:"true" min:"-1" doc:"the axes of one example; one of them may be -1: what is left" example:"[64, 7, 7]"`
}

// Kind is "reshape".
func (*Reshape) Kind() string { return "reshape" }

// Output is Shape, with its -1 worked out.
func (l *Reshape) Output(in graph.Shape) (graph.Shape, error) {
	out, open, known := graph.Shape(l.Shape).Clone(), -1, 1
	for i, d := range out {
		switch {
		case d == -1 && open < 0:
			open = i
		case d < 1 || d > maxImage/known:
			return nil, fmt.Errorf("shape %v: sizes are above 0, and one may be -1", l.Shape)
		default:
			known *= d
		}
	}
	wants := fmt.Sprint(known)
	if open >= 0 {
		wants = "a multiple of " + wants
		out[open] = in.Size() / known
		known *= out[open]
	}
	if known != in.Size() || len(out) == 0 {
		return nil, fmt.Errorf("its input %v has %d elements, shape %v wants %s", in, in.Size(), l.Shape, wants)
	}
	return out, nil
}

// Build reshapes.
func (l *Reshape) Build(_ *Scope, x graph.Value) graph.Value {
	out, err := l.Output(x.Shape()[1:])
	if err != nil {
		x.Graph().Fail(err)
		return x
	}
	return op.Reshape(x, append([]int{x.Dim(0)}, out...)...)
}

// Mirror gives the input's axes back.
func (*Reshape) Mirror(in graph.Shape) ([]Layer, error) { return reshapeTo(in), nil }
