package nn

import (
	"aetrain/graph"
	"aetrain/op"
)

func init() { Layers.Add("flatten", func() Layer { return &Flatten{} }) }

// Flatten makes a vector of an image or a sequence, in row-major order.
type Flatten struct{ Common }

// Kind is "flatten".
func (*Flatten) Kind() string { return "flatten" }

// Output is one axis.
func (*Flatten) Output(in graph.Shape) (graph.Shape, error) { return graph.Shape{in.Size()}, nil }

// Build reshapes.
func (*Flatten) Build(_ *Scope, x graph.Value) graph.Value { return op.Flatten(x) }

// Mirror gives the axes back.
func (*Flatten) Mirror(in graph.Shape) ([]Layer, error) { return reshapeTo(in), nil }

// reshapeTo is a layer that gives this shape; none is needed for a vector.
func reshapeTo(s graph.Shape) []Layer {
	if len(s) == 1 {
		return []Layer{&Flatten{}}
	}
	return []Layer{&Reshape{Shape: append([]int(nil), s...)}}
}
