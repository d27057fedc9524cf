package backend

import (
	"fmt"

	_ "go4.org/unsafe/assume-no-moving-gc" // this newer version; the one that tensor asks for panics at start on current Go
	"gorgonia.org/tensor"

	"aetrain/graph"
)

// NewHost returns a zeroed dense host tensor in ordinary memory. A scalar is a tensor of shape (1): what tensor calls a
// scalar cannot be filled in place.
func NewHost(s graph.Spec) *tensor.Dense {
	shape := []int(s.Shape.Clone())
	if len(shape) == 0 {
		shape = []int{1}
	}
	return tensor.New(tensor.WithShape(shape...), tensor.Of(HostType(s.DType)))
}

// HostType is the element type of host tensors for d.
func HostType(d graph.DType) tensor.Dtype {
	switch d {
	case graph.Int32:
		return tensor.Int32
	case graph.Uint8:
		return tensor.Uint8
	}
	return tensor.Float32
}

// CheckHost reports why t cannot hold a value of spec s: another type, or another number of elements.
// Shapes are compared by size: a column of labels may be N or N×1.
func CheckHost(what string, s graph.Spec, t *tensor.Dense) error {
	if t.Dtype() != HostType(s.DType) {
		return fmt.Errorf("%s is %v, the tensor holds %v", what, s, t.Dtype())
	}
	if t.Shape().TotalSize() != s.Shape.Size() {
		return fmt.Errorf("%s is %v, the tensor is %v", what, s, t.Shape())
	}
	return nil
}

// SpecOf is the Spec of a host tensor.
func SpecOf(t *tensor.Dense) (graph.Spec, error) {
	s := graph.Spec{Shape: graph.Shape(t.Shape()).Clone()}
	switch t.Dtype() {
	case tensor.Float32:
	case tensor.Int32:
		s.DType = graph.Int32
	case tensor.Uint8:
		s.DType = graph.Uint8
	default:
		return s, fmt.Errorf("a tensor of %v; want float32, int32 or uint8", t.Dtype())
	}
	return s, nil
}
