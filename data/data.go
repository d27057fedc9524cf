// Package data turns files, downloads and generators into batches of named fields, always the same ones for the same seed.
//
// [Open] is the function to read first: a source (a file each: digits, mnist, npy...) yields its parts, [Splits] divides them
// into train, validation and test, a [Pipeline] of transforms is fitted on train, and a [Loader] reads batches ahead of the
// trainer without ever changing their order. Images are CHW with values in [0,1]; stored ones stay uint8 in memory.
package data

import (
	"fmt"
	"strconv"

	"aetrain/graph"

	"gorgonia.org/tensor"
)

// Field is one named array of a source or of a batch: "x" always, "label", "factors"... Spec is that of one example.
type Field struct {
	Name    string
	Spec    graph.Spec
	Classes int      // of int32 fields: values lie in 0 ≤ v < Classes; 0: any
	Words   []string // the names of those values; nil: they have none
	Columns []Column // of a table: what the numbers on the last axis are; nil: it is none
}

// Source is one opened set of examples of known length.
type Source interface {
	// Len is the number of examples.
	Len() int
	// Fields lists what each example has; "x" comes first.
	Fields() []Field
	// Read fills dst, a tensor for each of Fields with len(indices) as its first axis, with those examples.
	// Several goroutines may read at once.
	Read(dst []*tensor.Dense, indices []int) error
	// Close lets go of files. Nobody reads any more.
	Close() error
}

// Namer is a Source whose examples have names of their own: files, times.
type Namer interface {
	Name(i int) string
}

// ExampleName is what tables of results call example i of s: its file name or its row number, counted from 0.
func ExampleName(s Source, i int) string {
	if n, ok := s.(Namer); ok {
		if name := n.Name(i); name != "" {
			return name
		}
	}
	return strconv.Itoa(i)
}

// FieldIndex is the place of the field called name, -1 where there is none.
func FieldIndex(fields []Field, name string) int {
	for i, f := range fields {
		if f.Name == name {
			return i
		}
	}
	return -1
}

// NewBatch returns tensors for n examples of these fields, made by alloc; nil takes ordinary memory.
func NewBatch(fields []Field, n int, alloc func(graph.Spec) *tensor.Dense) []*tensor.Dense {
	if alloc == nil {
		alloc = Dense
	}
	batch := make([]*tensor.Dense, len(fields))
	for i, f := range fields {
		batch[i] = alloc(f.batch(n))
	}
	return batch
}

// batch is the Spec of n examples of f.
func (f Field) batch(n int) graph.Spec {
	return graph.Spec{Shape: append(graph.Shape{n}, f.Spec.Shape...), DType: f.Spec.DType}
}

// Dense returns a zero host tensor of spec s in ordinary memory.
func Dense(s graph.Spec) *tensor.Dense {
	dtype := tensor.Float32
	switch s.DType {
	case graph.Int32:
		dtype = tensor.Int32
	case graph.Uint8:
		dtype = tensor.Uint8
	}
	if len(s.Shape) == 0 {
		return tensor.New(tensor.FromScalar(zero(s.DType)))
	}
	return tensor.New(tensor.WithShape(s.Shape...), tensor.Of(dtype))
}

func zero(d graph.DType) any {
	switch d {
	case graph.Int32:
		return int32(0)
	case graph.Uint8:
		return uint8(0)
	}
	return float32(0)
}

// ReadRange reads the examples from (inclusive) to (exclusive) into dst, a batch of to-from of them.
func ReadRange(s Source, from, to int, dst []*tensor.Dense) error {
	if from < 0 || to > s.Len() || from > to {
		return fmt.Errorf("examples %d to %d are wanted, there are %d", from, to, s.Len())
	}
	indices := make([]int, to-from)
	for i := range indices {
		indices[i] = from + i
	}
	return s.Read(dst, indices)
}

// checkRead reports a call of Read that does not fit: a mistake of the caller, found before anything is written past its place.
func checkRead(s Source, dst []*tensor.Dense, indices []int) error {
	fields := s.Fields()
	if len(dst) != len(fields) {
		return fmt.Errorf("data: %d tensors for %d fields", len(dst), len(fields))
	}
	for i, f := range fields {
		if got, want := dst[i].DataSize(), len(indices)*f.Spec.Shape.Size(); got != want {
			return fmt.Errorf("data: the tensor of %s has %d elements; %d examples of %v have %d", f.Name, got, len(indices), f.Spec, want)
		}
	}
	for _, i := range indices {
		if i < 0 || i >= s.Len() {
			return fmt.Errorf("data: example %d of %d is wanted", i, s.Len())
		}
	}
	return nil
}
