package checkpoint

import (
	"fmt"
	"slices"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/graph"
	"aetrain/internal/safetensors"
)

// collect copies a State, its Scratch left out, into the tensors of the two files.
func collect(st backend.State, stored []Stored) (model, optimizer []safetensors.Tensor, err error) {
	seen := map[string]bool{}
	for _, name := range st.Names() {
		spec, kind, ok := st.Spec(name)
		if !ok || kind == graph.Scratch {
			continue
		}
		t := backend.NewHost(spec)
		if err := st.Read(name, t); err != nil {
			return nil, nil, err
		}
		seen[name] = true
		if isOptimizer(name) {
			optimizer = append(optimizer, toFile(name, spec, t))
		} else {
			model = append(model, toFile(name, spec, t))
		}
	}
	for _, s := range stored {
		spec, err := backend.SpecOf(s.Value)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", s.Name, err)
		}
		if seen[s.Name] || isOptimizer(s.Name) {
			return nil, nil, fmt.Errorf("%s: the name is taken by a state", s.Name)
		}
		seen[s.Name] = true
		model = append(model, toFile(s.Name, spec, s.Value))
	}
	return model, optimizer, nil
}

// fileTypes are the element types on disk, by graph.DType.
var fileTypes = [...]safetensors.DType{graph.Float32: safetensors.F32, graph.Int32: safetensors.I32, graph.Uint8: safetensors.U8}

// toFile is a host tensor as it is written: row-major, little-endian.
func toFile(name string, spec graph.Spec, t *tensor.Dense) safetensors.Tensor {
	shape := append([]int{}, spec.Shape...)
	if t.IsMaterializable() { // a view: its memory is not in order
		t = t.Materialize().(*tensor.Dense)
	}
	switch spec.DType {
	case graph.Int32:
		return safetensors.FromInt32(name, shape, t.Int32s())
	case graph.Uint8:
		return safetensors.Tensor{Name: name, DType: safetensors.U8, Shape: shape, Data: slices.Clone(t.Uint8s())}
	}
	return safetensors.FromFloat32(name, shape, t.Float32s())
}

// fromFile is a tensor of a file on the host.
func fromFile(x safetensors.Tensor) (*tensor.Dense, error) {
	spec, err := specOf(x.Info())
	if err != nil {
		return nil, err
	}
	t := backend.NewHost(spec)
	switch spec.DType {
	case graph.Float32:
		var v []float32
		if v, err = x.Float32(); err == nil {
			copy(t.Float32s(), v)
		}
	case graph.Int32:
		var v []int32
		if v, err = x.Int32(); err == nil {
			copy(t.Int32s(), v)
		}
	case graph.Uint8:
		copy(t.Uint8s(), x.Data)
	}
	return t, err
}

// specOf is the Spec of a tensor on disk.
func specOf(i safetensors.Info) (graph.Spec, error) {
	d := slices.Index(fileTypes[:], i.DType)
	if d < 0 {
		return graph.Spec{}, fmt.Errorf("%s holds %s; want F32, I32 or U8", i.Name, i.DType)
	}
	return graph.Spec{Shape: i.Shape, DType: graph.DType(d)}, nil
}

// zeros is a host tensor whose shape is exactly that of s, a scalar's too, so that a State takes the shape from it.
func zeros(s graph.Spec) *tensor.Dense {
	if len(s.Shape) > 0 {
		return backend.NewHost(s)
	}
	switch s.DType {
	case graph.Int32:
		return tensor.New(tensor.FromScalar(int32(0)))
	case graph.Uint8:
		return tensor.New(tensor.FromScalar(uint8(0)))
	}
	return tensor.New(tensor.FromScalar(float32(0)))
}
