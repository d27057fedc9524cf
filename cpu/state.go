package cpu

import (
	"fmt"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/graph"
	"aetrain/program"
)

// entry is one named buffer. Its memory never moves: executables hold it.
type entry struct {
	spec   graph.Spec
	kind   graph.Kind
	memory memory
}

type state struct {
	names   []string
	entries map[string]*entry
}

// declare adds the states of p that s lacks, with their first values.
func (s *state) declare(p *program.Program, seed uint64) error {
	for _, d := range p.States {
		if e := s.entries[d.Name]; e != nil {
			if len(d.Spec.Shape) == 0 && e.spec.Equal(graph.Spec{Shape: graph.Shape{1}, DType: d.Spec.DType}) {
				e.spec = d.Spec // written before: host tensors have no scalars
			}
			if !e.spec.Equal(d.Spec) {
				return fmt.Errorf("cpu: state %s is %v, the program wants %v", d.Name, e.spec, d.Spec)
			}
			continue
		}
		e := s.add(d.Name, d.Kind, d.Spec)
		if d.Init != nil {
			t := graph.NewTensor(d.Spec)
			d.Init(seed, d.Name, t)
			e.memory.fill(t.Data)
		}
	}
	return nil
}

func (s *state) add(name string, k graph.Kind, spec graph.Spec) *entry {
	e := &entry{spec: spec, kind: k, memory: newMemory(spec.DType, spec.Shape.Size())}
	s.entries[name] = e
	s.names = append(s.names, name)
	return e
}

// Names lists the states in the order of their declaration.
func (s *state) Names() []string { return append([]string(nil), s.names...) }

// Spec returns shape, type and kind of a state.
func (s *state) Spec(name string) (graph.Spec, graph.Kind, bool) {
	e := s.entries[name]
	if e == nil {
		return graph.Spec{}, 0, false
	}
	return e.spec, e.kind, true
}

// Read copies a state to dst.
func (s *state) Read(name string, dst *tensor.Dense) error {
	e := s.entries[name]
	if e == nil {
		return fmt.Errorf("cpu: no state %s", name)
	}
	if err := backend.CheckHost("state", name, e.spec, dst); err != nil {
		return err
	}
	e.memory.copyTo(dst)
	return nil
}

// Write copies src to a state, which it adds where there is none of that name.
func (s *state) Write(name string, k graph.Kind, src *tensor.Dense) error {
	e := s.entries[name]
	if e == nil {
		spec, err := backend.SpecOf(src)
		if err != nil {
			return fmt.Errorf("cpu: state %s: %w", name, err)
		}
		e = s.add(name, k, spec)
	}
	if err := backend.CheckHost("state", name, e.spec, src); err != nil {
		return err
	}
	e.memory.copyFrom(src)
	return nil
}

// copyTo and copyFrom exchange contents with a host tensor whose type and size were checked.
func (m memory) copyTo(t *tensor.Dense) {
	switch m.dtype {
	case graph.Float32:
		copy(t.Float32s(), m.f32)
	case graph.Int32:
		copy(t.Int32s(), m.i32)
	case graph.Uint8:
		copy(t.Uint8s(), m.u8)
	}
}

func (m memory) copyFrom(t *tensor.Dense) {
	switch m.dtype {
	case graph.Float32:
		copy(m.f32, t.Float32s())
	case graph.Int32:
		copy(m.i32, t.Int32s())
	case graph.Uint8:
		copy(m.u8, t.Uint8s())
	}
}
