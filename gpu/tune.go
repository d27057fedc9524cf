//go:build gpu

package gpu

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"aetrain/gpu/driver"
	"aetrain/kernels"
	"aetrain/program"
)

// trial is a candidate that is being measured: what it would add to the executable.
type trial struct {
	scratch, own *block
	code         []instruction
	words        []words32
	closers      []func() error
}

// Runs of a measurement: the fastest counts.
const (
	trialRuns  = 4
	trialSteps = 10 // of each run, in one graph
)

// measure times a candidate, with what it leaves of the step's epilogue, on memory of the step's sizes.
func (b *binder) measure(k kernels.Candidate[launch], st *step) (best time.Duration, err error) {
	t := &trial{scratch: &block{}, own: &block{}}
	inner := b.rehearse(t, st.Step)
	defer func() {
		for _, f := range t.closers {
			err = errors.Join(err, f())
		}
		err = errors.Join(err, t.scratch.release(b.dev), t.own.release(b.dev))
	}()
	if err := inner.run(k, inner.operands(st.Step)); err != nil {
		return 0, fmt.Errorf("measuring %s: %w", k.Name, err)
	}
	t.scratch.size = inner.mostScratch
	if err := t.ready(b.dev); err != nil {
		return 0, err
	}
	return t.time(b.dev.stream)
}

// rehearse is b for a trial of one step: all buffers that the step touches are pieces of the trial's own block, as none of the
// program's has memory yet, and states must not change.
func (b *binder) rehearse(t *trial, s *program.Step) *binder {
	inner, e := *b, *b.e
	inner.e, inner.trial, inner.used, inner.mostScratch = &e, t, 0, 0
	e.mem = slices.Clone(b.e.mem)
	seen := map[int]bool{-1: true}
	take := func(buffer int) {
		if !seen[buffer] {
			seen[buffer] = true
			e.mem[buffer] = t.own.take(e.mem[buffer].dtype, e.mem[buffer].size)
		}
	}
	for _, buffer := range slices.Concat(s.In, s.Out) {
		take(buffer)
	}
	if c := s.Chain; c != nil {
		for _, a := range c.Args {
			take(a.Buffer)
		}
		for _, o := range c.Outs {
			take(o.Buffer)
		}
		for _, o := range c.Sums {
			take(o.Buffer)
		}
	}
	return &inner
}

func (t *trial) ready(d *device) error {
	if err := errors.Join(t.scratch.reserve(d), t.own.reserve(d)); err != nil {
		return err
	}
	for _, w := range t.words {
		if err := w.write(); err != nil {
			return err
		}
	}
	for _, i := range t.code {
		if i.prepare != nil {
			if err := i.prepare(); err != nil {
				return err
			}
		}
	}
	return nil
}

// time measures the candidate as it would run in a program: as a graph, so that what launching from here costs does not count.
func (t *trial) time(s driver.Stream) (time.Duration, error) {
	if err := errors.Join(t.enqueue(s, 1), s.Synchronize()); err != nil { // libraries load their code when they first run
		return 0, err
	}
	g, err := driver.Capture(s, func() error { return t.enqueue(s, trialSteps) })
	if err != nil {
		return 0, err
	}
	best, err := replay(g, s, trialRuns)
	return best / trialSteps, errors.Join(err, g.Destroy())
}

// enqueue puts the candidate's work on the stream so many times.
func (t *trial) enqueue(s driver.Stream, times int) error {
	for range times {
		for _, i := range t.code {
			if i.enqueue == nil {
				continue
			}
			if err := i.enqueue(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// replay runs a graph once, for the device to be at work when the clock starts, and then times so many runs of it, each between two
// events. It returns the shortest.
func replay(g *driver.Graph, s driver.Stream, runs int) (best time.Duration, err error) {
	from, err := driver.NewEvent(true)
	if err != nil {
		return 0, err
	}
	defer from.Destroy()
	to, err := driver.NewEvent(true)
	if err != nil {
		return 0, err
	}
	defer to.Destroy()
	best = -1
	for range runs {
		if err := errors.Join(g.Launch(s), from.Record(s), g.Launch(s), to.Record(s), to.Synchronize()); err != nil {
			return 0, err
		}
		d, err := to.Since(from)
		if err != nil {
			return 0, err
		}
		if best < 0 || d < best {
			best = d
		}
	}
	return best, nil
}
