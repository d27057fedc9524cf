package data

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"

	"aetrain/graph"
	"aetrain/internal/safetensors"
)

func init() { sources.Add("safetensors", func() SourceOptions { return &Safetensors{} }) }

// Safetensors is arrays in safetensors files, read in place, so that they may be larger than memory.
type Safetensors struct {
	arrayKeys
}

func (o *Safetensors) at(path string) SourceOptions {
	return &Safetensors{arrayKeys{File: Paths{path}, X: o.X}}
}

// Open implements SourceOptions. data.label is the name of an array.
func (o *Safetensors) Open(_ context.Context, env Env) (*Parts, error) {
	return o.openArrays(env.Label, func(name string) (arrayFile, error) {
		f, err := safetensors.Open(name)
		if err != nil {
			return nil, err
		}
		return &tensorFile{f, name}, nil
	})
}

type tensorFile struct {
	*safetensors.File
	name string
}

func (f *tensorFile) close() error { return f.File.Close() }

func (f *tensorFile) names() []string {
	var names []string
	for _, t := range f.Tensors() {
		names = append(names, t.Name)
	}
	return names
}

// tensorKinds are the element types as NPY files know them; g is bfloat16.
var tensorKinds = map[safetensors.DType]byte{
	safetensors.F64: 'f', safetensors.F32: 'f', safetensors.F16: 'f', safetensors.BF16: 'g', safetensors.Bool: 'b',
	safetensors.I64: 'i', safetensors.I32: 'i', safetensors.I16: 'i', safetensors.I8: 'i',
	safetensors.U64: 'u', safetensors.U32: 'u', safetensors.U16: 'u', safetensors.U8: 'u',
}

// array opens the file a second time, for the examples to be read where they are.
func (f *tensorFile) array(name string) (*npyFile, error) {
	for _, t := range f.Tensors() {
		if t.Name != name {
			continue
		}
		kind, ok := tensorKinds[t.DType]
		if !ok {
			return nil, fmt.Errorf("elements of type %s are not known", t.DType)
		}
		if len(t.Shape) == 0 || t.Shape[0] == 0 {
			return nil, fmt.Errorf("its shape is %v; the first axis is the example", graph.Shape(t.Shape))
		}
		h := &npyHeader{kind: kind, bytes: t.DType.Size(), order: binary.LittleEndian, dims: t.Shape, start: f.Offset(name)}
		file, err := os.Open(f.name)
		if err != nil {
			return nil, err
		}
		a := &npyFile{npyHeader: h, name: f.name, file: file, from: file, shape: h.exampleShape()}
		a.size = a.shape.Size()
		return a, nil
	}
	return nil, fmt.Errorf("no such tensor")
}
