package cpu

import (
	"fmt"
	"sync/atomic"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/graph"
	"aetrain/program"
)

// state holds named buffers. Their memory never moves: executables hold it.
type state struct{ backend.States[memory] }

// declare adds the states of p that s lacks, with their first values.
func (s *state) declare(p *program.Program, seed uint64) error {
	missing, err := s.Missing(p)
	if err != nil {
		return fmt.Errorf("cpu: %w", err)
	}
	for _, d := range missing {
		e := s.Add(d.Name, d.Kind, d.Spec, newStored(d.Spec))
		if first := backend.First(d, seed); first != nil {
			e.Memory.fill(first)
		}
	}
	return nil
}

// Read copies a state to dst.
func (s *state) Read(name string, dst *tensor.Dense) error {
	e, err := s.Readable(name, dst)
	if err != nil {
		return fmt.Errorf("cpu: %w", err)
	}
	e.Memory.copyTo(dst)
	return nil
}

// Write copies src to a state, which it adds where there is none of that name.
func (s *state) Write(name string, k graph.Kind, src *tensor.Dense) error {
	e := s.Entry(name)
	if e == nil {
		spec, err := backend.SpecOf(src)
		if err != nil {
			return fmt.Errorf("cpu: state %s: %w", name, err)
		}
		e = s.Add(name, k, spec, newStored(spec))
	}
	if err := backend.CheckHost("state", name, e.Spec, src); err != nil {
		return fmt.Errorf("cpu: %w", err)
	}
	e.Memory.copyFrom(src)
	e.Memory.changes.Add(1)
	return nil
}

// newStored returns the zeroed memory of a state.
func newStored(s graph.Spec) memory {
	m := newMemory(s.DType, s.Shape.Size())
	m.changes = new(atomic.Uint32)
	return m
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
