//go:build gpu

package gpu

import (
	"errors"
	"fmt"
	"runtime"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/gpu/driver"
	"aetrain/graph"
	"aetrain/program"
)

// state holds named buffers. Their memory never moves: recorded graphs hold its address.
type state struct {
	backend.States[memory]
	dev *device
}

// declare adds the states of p that s lacks, with their first values.
func (s *state) declare(p *program.Program, seed uint64) error {
	missing, err := s.Missing(p)
	if err != nil {
		return fmt.Errorf("cuda: %w", err)
	}
	for _, d := range missing {
		e, err := s.add(d.Name, d.Kind, d.Spec)
		if err != nil {
			return err
		}
		if first := backend.First(d, seed); first != nil {
			if err := e.Memory.write(first); err != nil {
				return fmt.Errorf("state %s: %w", d.Name, err)
			}
		}
	}
	return nil
}

// add reserves a state's memory, which goes back when nobody holds the state any more.
func (s *state) add(name string, k graph.Kind, spec graph.Spec) (*backend.StateEntry[memory], error) {
	own := &block{}
	m := own.take(spec.DType, spec.Shape.Size())
	if err := own.reserve(s.dev); err != nil {
		return nil, stateError(name, spec, err)
	}
	e := s.Add(name, k, spec, m)
	dev := s.dev // the cleanup must not hold the state
	runtime.AddCleanup(e, func(b *block) { dev.discard(func() error { return b.release(dev) }) }, own)
	return e, nil
}

// Read waits for the steps so far and copies a state to dst.
func (s *state) Read(name string, dst *tensor.Dense) error {
	e, err := s.Readable(name, dst)
	if err != nil {
		return fmt.Errorf("cuda: %w", err)
	}
	return s.dev.do(func() error { return s.dev.fetch(e.Memory, dst) })
}

// Write waits for the steps so far and copies src to a state, which it adds where there is none of that name.
func (s *state) Write(name string, k graph.Kind, src *tensor.Dense) error {
	return s.dev.do(func() error {
		e := s.Entry(name)
		if e == nil {
			spec, err := backend.SpecOf(src)
			if err != nil {
				return fmt.Errorf("cuda: state %s: %w", name, err)
			}
			if e, err = s.add(name, k, spec); err != nil {
				return err
			}
		}
		if err := backend.CheckHost("state", name, e.Spec, src); err != nil {
			return fmt.Errorf("cuda: %w", err)
		}
		p, n := hostBytes(src)
		if n == 0 {
			return nil
		}
		if err := s.dev.wait(); err != nil {
			return err
		}
		return s.dev.fail(driver.CopyToDevice(e.Memory.ptr(), p, n))
	})
}

// stateError names the state; where there is no memory for it, callers can tell.
func stateError(name string, spec graph.Spec, err error) error {
	if errors.Is(err, driver.ErrOutOfMemory) {
		return fmt.Errorf("state %s %v: %w: %w", name, spec, err, backend.ErrOutOfMemory)
	}
	return fmt.Errorf("state %s %v: %w", name, spec, err)
}
