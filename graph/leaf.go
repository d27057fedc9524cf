package graph

import (
	"fmt"
	"hash/fnv"
	"math"
)

// Input is the op of a fed value.
type Input struct {
	Label string
	Spec  Spec
}

// Read is the op of a state's value when the step begins.
type Read struct {
	Label string
	Spec  Spec
}

// Constant is the op of a value that never changes. Data holds one number, for all elements, or one for each.
type Constant struct {
	Spec Spec
	Data []float64
}

// Sum adds values of one shape; gradients that flow together meet in it.
type Sum struct{}

// SumOf adds values of one shape. One value is returned as it is, and none is the zero Value.
func SumOf(vs ...Value) Value {
	switch len(vs) {
	case 0:
		return Value{}
	case 1:
		return vs[0]
	}
	return Apply(Sum{}, vs...)[0]
}

func (Input) Name() string    { return "Input" }
func (Read) Name() string     { return "Read" }
func (Constant) Name() string { return "Constant" }
func (Sum) Name() string      { return "Sum" }

func (o Input) Infer([]Spec) ([]Spec, error)    { return []Spec{o.Spec}, nil }
func (o Read) Infer([]Spec) ([]Spec, error)     { return []Spec{o.Spec}, nil }
func (o Constant) Infer([]Spec) ([]Spec, error) { return []Spec{o.Spec}, nil }

// Infer wants float32 values of one shape.
func (Sum) Infer(in []Spec) ([]Spec, error) {
	for _, s := range in {
		if s.DType != Float32 || !s.Equal(in[0]) {
			return nil, fmt.Errorf("wants float32 values of one shape")
		}
	}
	return []Spec{in[0]}, nil
}

func (Input) VJP(*Node, []Value) []Value    { return nil }
func (Read) VJP(*Node, []Value) []Value     { return nil }
func (Constant) VJP(*Node, []Value) []Value { return nil }

// VJP gives each summand the whole gradient.
func (Sum) VJP(n *Node, dOut []Value) []Value {
	d := make([]Value, len(n.In))
	for i := range d {
		d[i] = dOut[0]
	}
	return d
}

// Eval of an Input leaves what was fed.
func (Input) Eval(_, _ []Tensor) {}

// Eval of a Read leaves what the state holds.
func (Read) Eval(_, _ []Tensor) {}

// Eval fills the output.
func (o Constant) Eval(out, _ []Tensor) {
	for i := range out[0].Data {
		out[0].Data[i] = o.At(i)
	}
}

// At is element i.
func (o Constant) At(i int) float64 {
	if len(o.Data) == 1 {
		return o.Data[0]
	}
	return o.Data[i]
}

// Fill reports whether all elements are one number, and which.
func (o Constant) Fill() (float64, bool) {
	for _, x := range o.Data {
		if x != o.Data[0] {
			return 0, false
		}
	}
	return o.Data[0], true
}

// Key tells constants apart: shape, type and content.
func (o Constant) Key() string {
	h := fnv.New64a()
	var b [8]byte
	for _, x := range o.Data {
		bits := math.Float64bits(x)
		for i := range b {
			b[i] = byte(bits >> (8 * i))
		}
		h.Write(b[:])
	}
	return fmt.Sprintf("%v#%d#%x", o.Spec, len(o.Data), h.Sum64())
}

// Eval adds in the order of the inputs.
func (Sum) Eval(out, in []Tensor) {
	for _, t := range in {
		for i, x := range t.Data {
			out[0].Data[i] += x
		}
	}
}

func (Input) Examples() []Example    { return nil }
func (Read) Examples() []Example     { return nil }
func (Constant) Examples() []Example { return nil }

// Examples are sums of two and of five values.
func (Sum) Examples() []Example {
	arg := Arg{Spec: F32(3, 5), From: -2, To: 2}
	return []Example{
		{Op: Sum{}, Args: []Arg{arg, arg}},
		{Op: Sum{}, Args: []Arg{arg, arg, arg, arg, arg}},
	}
}
