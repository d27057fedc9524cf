package backend

import (
	"fmt"

	"gorgonia.org/tensor"

	"aetrain/graph"
	"aetrain/program"
)

// States is what the States of all devices share: which names there are, in the order of their declaration, and what each one
// holds. M is the device's memory of one.
type States[M any] struct {
	names   []string
	entries map[string]*StateEntry[M]
}

// StateEntry is one named buffer.
type StateEntry[M any] struct {
	Spec   graph.Spec
	Kind   graph.Kind
	Memory M
}

// Names lists the states in the order of their declaration.
func (s *States[M]) Names() []string { return append([]string(nil), s.names...) }

// Spec returns shape, type and kind of a state.
func (s *States[M]) Spec(name string) (graph.Spec, graph.Kind, bool) {
	e := s.entries[name]
	if e == nil {
		return graph.Spec{}, 0, false
	}
	return e.Spec, e.Kind, true
}

// Entry returns a state, nil where there is none of that name.
func (s *States[M]) Entry(name string) *StateEntry[M] { return s.entries[name] }

// Add adds a state.
func (s *States[M]) Add(name string, k graph.Kind, spec graph.Spec, m M) *StateEntry[M] {
	if s.entries == nil {
		s.entries = map[string]*StateEntry[M]{}
	}
	e := &StateEntry[M]{Spec: spec, Kind: k, Memory: m}
	s.entries[name] = e
	s.names = append(s.names, name)
	return e
}

// Missing returns the states of p that are not there yet. One that is there in another shape or type is an error.
func (s *States[M]) Missing(p *program.Program) (list []program.State, err error) {
	for _, d := range p.States {
		e := s.entries[d.Name]
		if e == nil {
			list = append(list, d)
			continue
		}
		if len(d.Spec.Shape) == 0 && e.Spec.Equal(graph.Spec{Shape: graph.Shape{1}, DType: d.Spec.DType}) {
			e.Spec = d.Spec // written before: host tensors have no scalars
		}
		if !e.Spec.Equal(d.Spec) {
			return nil, fmt.Errorf("state %s is %v, the program wants %v", d.Name, e.Spec, d.Spec)
		}
	}
	return list, nil
}

// Readable returns the state that is to be copied to dst, or says why it cannot be.
func (s *States[M]) Readable(name string, dst *tensor.Dense) (*StateEntry[M], error) {
	e := s.entries[name]
	if e == nil {
		return nil, fmt.Errorf("no state %s", name)
	}
	return e, CheckHost("state", name, e.Spec, dst)
}

// First are a new state's first values, nil where they are all zero.
func First(d program.State, seed uint64) []float64 {
	if d.Init == nil {
		return nil
	}
	t := graph.NewTensor(d.Spec)
	d.Init(seed, d.Name, t)
	return t.Data
}
