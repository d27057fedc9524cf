package graph

import (
	"fmt"
	"strconv"
	"strings"
)

// DType is the element type of a value.
type DType uint8

const (
	Float32 DType = iota // everything that is computed
	Int32                // indices, labels, counters
	Uint8                // stored images, masks
)

// String returns the lower-case name: float32, int32 or uint8.
func (d DType) String() string {
	switch d {
	case Float32:
		return "float32"
	case Int32:
		return "int32"
	case Uint8:
		return "uint8"
	}
	return "dtype(" + strconv.Itoa(int(d)) + ")"
}

// Bytes is the size of one element.
func (d DType) Bytes() int {
	if d == Uint8 {
		return 1
	}
	return 4
}

// Shape lists the sizes of a value's axes, outermost first; an empty Shape is a scalar.
type Shape []int

// Size is the number of elements: 1 for a scalar.
func (s Shape) Size() int {
	n := 1
	for _, d := range s {
		n *= d
	}
	return n
}

// Equal reports whether both have the same axes.
func (s Shape) Equal(t Shape) bool {
	if len(s) != len(t) {
		return false
	}
	for i := range s {
		if s[i] != t[i] {
			return false
		}
	}
	return true
}

// Clone returns a copy that may be changed.
func (s Shape) Clone() Shape { return append(Shape(nil), s...) }

// String writes 128x1x28x28; a scalar is "scalar".
func (s Shape) String() string {
	if len(s) == 0 {
		return "scalar"
	}
	var b strings.Builder
	for i, d := range s {
		if i > 0 {
			b.WriteByte('x')
		}
		b.WriteString(strconv.Itoa(d))
	}
	return b.String()
}

// Spec is what is known of a value before anything is computed: its shape and element type.
type Spec struct {
	Shape Shape
	DType DType
}

// F32 is the Spec of a float32 value with these axes.
func F32(dims ...int) Spec { return Spec{Shape: dims} }

// I32 is the Spec of an int32 value with these axes.
func I32(dims ...int) Spec { return Spec{Shape: dims, DType: Int32} }

// U8 is the Spec of a uint8 value with these axes.
func U8(dims ...int) Spec { return Spec{Shape: dims, DType: Uint8} }

// Equal reports whether shape and type agree.
func (s Spec) Equal(t Spec) bool { return s.DType == t.DType && s.Shape.Equal(t.Shape) }

// Bytes is the memory that a dense value of this Spec takes.
func (s Spec) Bytes() int { return s.Shape.Size() * s.DType.Bytes() }

// String writes the shape, and the type where it is not float32.
func (s Spec) String() string {
	if s.DType == Float32 {
		return s.Shape.String()
	}
	return fmt.Sprintf("%v %v", s.Shape, s.DType)
}

// Tensor is a host value of the reference evaluation: row-major float64, whatever its DType
// (int32 and uint8 are exact in it).
type Tensor struct {
	Spec
	Data []float64
}

// NewTensor returns a zero Tensor of spec s.
func NewTensor(s Spec) Tensor { return Tensor{Spec: s, Data: make([]float64, s.Shape.Size())} }
