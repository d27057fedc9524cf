//go:build gpu

package gpu

import (
	"fmt"
	"runtime"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/gpu/driver"
	"aetrain/graph"
	"aetrain/program"
)

// entry is one named buffer. Its memory never moves: recorded graphs hold its address.
type entry struct {
	spec   graph.Spec
	kind   graph.Kind
	memory memory
}

type state struct {
	dev     *device
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
				return fmt.Errorf("cuda: state %s is %v, the program wants %v", d.Name, e.spec, d.Spec)
			}
			continue
		}
		e, err := s.add(d.Name, d.Kind, d.Spec)
		if err != nil {
			return err
		}
		if d.Init != nil {
			t := graph.NewTensor(d.Spec)
			d.Init(seed, d.Name, t)
			if err := e.memory.write(t.Data); err != nil {
				return fmt.Errorf("state %s: %w", d.Name, err)
			}
		}
	}
	return nil
}

func (s *state) add(name string, k graph.Kind, spec graph.Spec) (*entry, error) {
	own := &block{}
	e := &entry{spec: spec, kind: k, memory: own.take(spec.DType, spec.Shape.Size())}
	if err := own.reserve(); err != nil {
		return nil, fmt.Errorf("state %s %v: %w", name, spec, err)
	}
	dev := s.dev // the cleanup must not hold the state
	runtime.AddCleanup(e, func(b *block) { dev.discard(b.free) }, own)
	s.entries[name] = e
	s.names = append(s.names, name)
	return e, nil
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

// Read waits for the steps so far and copies a state to dst.
func (s *state) Read(name string, dst *tensor.Dense) error {
	e := s.entries[name]
	if e == nil {
		return fmt.Errorf("cuda: no state %s", name)
	}
	if err := backend.CheckHost("state", name, e.spec, dst); err != nil {
		return err
	}
	return s.dev.do(func() error { return s.dev.fetch(e.memory, dst) })
}

// Write waits for the steps so far and copies src to a state, which it adds where there is none of that name.
func (s *state) Write(name string, k graph.Kind, src *tensor.Dense) error {
	return s.dev.do(func() error {
		e := s.entries[name]
		if e == nil {
			spec, err := backend.SpecOf(src)
			if err != nil {
				return fmt.Errorf("cuda: state %s: %w", name, err)
			}
			if e, err = s.add(name, k, spec); err != nil {
				return err
			}
		}
		if err := backend.CheckHost("state", name, e.spec, src); err != nil {
			return err
		}
		if err := s.dev.wait(); err != nil {
			return err
		}
		p, n := hostBytes(src)
		if n == 0 {
			return nil
		}
		return driver.CopyToDevice(e.memory.ptr(), p, n)
	})
}
