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
// what and name ("input", "x") stand in the error alone: nothing is put together in a step that is fine.
func CheckHost(what, name string, s graph.Spec, t *tensor.Dense) error {
	if t.Dtype() != HostType(s.DType) {
		return fmt.Errorf("%s %s is %v, the tensor holds %v", what, name, s, t.Dtype())
	}
	if t.Shape().TotalSize() != s.Shape.Size() {
		return fmt.Errorf("%s %s is %v, the tensor is %v", what, name, s, t.Shape())
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

// Rows returns rows from to to (exclusive) of a row-major tensor, as a tensor that shares its memory.
func Rows(t *tensor.Dense, from, to int) *tensor.Dense {
	if from == 0 && to == t.Shape()[0] {
		return t
	}
	shape := append([]int(nil), t.Shape()...)
	each := t.DataSize() / max(1, shape[0])
	shape[0] = to - from
	var backing any
	switch v := t.Data().(type) {
	case []float32:
		backing = v[from*each : to*each]
	case []int32:
		backing = v[from*each : to*each]
	case []uint8:
		backing = v[from*each : to*each]
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(backing))
}
