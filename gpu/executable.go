//go:build gpu

package gpu

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/gpu/driver"
	"aetrain/program"
)

// executable is a loaded program: its instructions, recorded into graphs.
type executable struct {
	dev     *device
	p       *program.Program
	o       backend.Options
	state   *state
	mem     []memory
	feeds   feeds
	code    []instruction
	parts   []part
	choices []backend.Choice
	owned   *owned
	uploads []upload
	words   []words32
}

// part is a piece of the step: a graph, work of the host between two graphs, or instructions one by one.
type part struct {
	graph *driver.Graph
	host  *instruction
	each  []instruction
}

// owned is what an executable holds on the device.
type owned struct {
	dev     *device
	shared  *shared
	own     *block // inputs, constants, what kernels keep
	graphs  []*driver.Graph
	closers []func() error
	pinned  *pinned
	done    bool
}

// release gives everything back, once. On a device that is lost there is nothing any more: the context has taken it along, and its
// handles may be others' now.
func (o *owned) release() error {
	if o.done || o.dev.lost != nil {
		return nil
	}
	o.done = true
	delete(o.dev.owned, o)
	var all []error
	for _, g := range o.graphs {
		all = append(all, g.Destroy())
	}
	for i := len(o.closers) - 1; i >= 0; i-- {
		all = append(all, o.closers[i]())
	}
	all = append(all, o.pinned.free(), o.own.release(o.dev), o.shared.release(o.dev))
	return errors.Join(all...)
}

// record captures the instructions: a graph for each stretch between two pieces of the host's work.
func (e *executable) record() error {
	for from := 0; from < len(e.code); {
		if e.code[from].host != nil {
			e.parts = append(e.parts, part{host: &e.code[from]})
			from++
			continue
		}
		to := from
		for to < len(e.code) && e.code[to].host == nil {
			to++
		}
		stretch := e.code[from:to]
		from = to
		if e.dev.options.each {
			if err := e.warm(stretch); err != nil {
				return err
			}
			e.parts = append(e.parts, part{each: stretch})
			continue
		}
		g, err := e.capture(stretch)
		if err != nil {
			return err
		}
		e.owned.graphs = append(e.owned.graphs, g)
		e.parts = append(e.parts, part{graph: g})
	}
	return nil
}

func (e *executable) capture(code []instruction) (*driver.Graph, error) {
	if err := e.warm(code); err != nil {
		return nil, err
	}
	return driver.Capture(e.dev.stream, func() error {
		for i := range code {
			if err := code[i].enqueue(e.dev.stream); err != nil {
				return e.named(&code[i], err)
			}
		}
		return nil
	})
}

// warm loads the kernels of a stretch, and has libraries load theirs by calling them once, so that as little as possible is loaded
// while the stream records. Steps that write states are left out: their first call is the recorded one.
func (e *executable) warm(code []instruction) error {
	for i := range code {
		in := &code[i]
		var err error
		switch {
		case in.prepare != nil:
			err = in.prepare()
		case in.library && !e.writesState(in.step):
			err = in.enqueue(e.dev.stream)
		}
		if err != nil {
			return e.named(in, err)
		}
	}
	return e.dev.wait()
}

// writesState reports whether a step of the program writes a state.
func (e *executable) writesState(step int) bool {
	return slices.ContainsFunc(e.p.Steps[step].Writes(), func(b int) bool { return e.p.Buffers[b].Place == program.Stored })
}

// named says which step of which layer an error belongs to.
func (e *executable) named(i *instruction, err error) error {
	s := &e.p.Steps[i.step]
	place := s.Path
	if place == "" {
		place = fmt.Sprintf("step %d", i.step)
	}
	return &stepError{fmt.Sprintf("%s: %s (%s)", place, s.Kind(), i.name), err}
}

// Feed copies src to an input's page-locked memory.
func (e *executable) Feed(input string, src *tensor.Dense) error {
	return e.dev.do(func() error { return e.feeds.feed(e, input, src) })
}

// Run starts a step; it does not wait for it.
func (e *executable) Run(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return e.dev.do(func() error {
		e.dev.running = e
		if err := e.feeds.send(e); err != nil {
			return e.dev.fail(err)
		}
		for i := range e.parts {
			if err := e.part(&e.parts[i]); err != nil {
				return e.dev.fail(err)
			}
		}
		return nil
	})
}

func (e *executable) part(p *part) error {
	switch {
	case p.graph != nil:
		return p.graph.Launch(e.dev.stream)
	case p.host != nil:
		if err := e.dev.stream.Synchronize(); err != nil {
			return err
		}
		if err := p.host.host(); err != nil {
			return e.named(p.host, err)
		}
		return nil
	}
	for i := range p.each {
		err := p.each[i].enqueue(e.dev.stream)
		if err == nil {
			err = e.dev.stream.Synchronize()
		}
		if err != nil {
			return e.named(&p.each[i], err)
		}
	}
	return nil
}

// Fetch waits for the step and copies an output to dst.
func (e *executable) Fetch(output string, dst *tensor.Dense) error {
	for _, out := range e.p.Outputs {
		if out.Name == output {
			if err := backend.CheckHost("output", output, out.Spec, dst); err != nil {
				return err
			}
			return e.dev.do(func() error { return e.dev.fetch(e.mem[out.Buffer], dst) })
		}
	}
	return fmt.Errorf("cuda: the program has no output %s", output)
}

// Explain lists the kernel of each step.
func (e *executable) Explain() []backend.Choice { return e.choices }

// Program returns what was loaded.
func (e *executable) Program() *program.Program { return e.p }

// Close waits for the steps so far and gives the executable's memory back.
func (e *executable) Close() error { return e.dev.do(e.close) }

func (e *executable) close() error {
	if e.dev.running == e {
		e.dev.running = nil
	}
	return errors.Join(e.dev.wait(), e.dev.settle(), e.owned.release())
}

// wait waits for all steps so far.
func (d *device) wait() error {
	if d.lost != nil {
		return d.lost
	}
	return d.fail(d.stream.Synchronize())
}

// settle waits for inputs on their way, too.
func (d *device) settle() error {
	if d.lost != nil {
		return nil
	}
	return d.fail(d.copies.Synchronize())
}

// fetch waits for the steps so far and copies m to dst.
func (d *device) fetch(m memory, dst *tensor.Dense) error {
	if err := d.wait(); err != nil {
		return err
	}
	p, n := hostBytes(dst)
	if n == 0 {
		return nil
	}
	return d.fail(driver.CopyToHost(p, m.ptr(), n))
}
