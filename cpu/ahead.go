package cpu

import (
	"slices"
	"sync/atomic"

	"aetrain/program"
)

// A program that does not assign a weight packs it once, and again when another program or a Write has changed it: inference runs
// batch after batch over the same weights.

// changes counts how often a state's memory was written; nil for memory that never is.
type changes = *atomic.Uint32

// prepared is what phases marked ahead have made of memory that the program only reads.
type prepared struct {
	of   []changes
	seen []uint32 // counts when it was made
	made bool
}

// fresh reports whether what was made still holds, and notes what it would be made of now.
func (p *prepared) fresh() bool {
	ok := p.made
	for i, c := range p.of {
		if now := c.Load(); now != p.seen[i] {
			p.seen[i], ok = now, false
		}
	}
	return ok
}

// frozen reports whether a run leaves a buffer as it is, from the first step to the last: a constant, or a state that the program
// does not assign.
func (b *binder) frozen(buffer int) bool {
	switch b.e.p.Buffers[buffer].Place {
	case program.Constant:
		return true
	case program.Stored:
		return !slices.ContainsFunc(b.e.p.States, func(s program.State) bool { return s.Buffer == buffer && s.Assigned })
	}
	return false
}

// ahead appends a phase that prepares a frozen buffer and is left out until the buffer changes.
func (b *binder) ahead(buffer, tasks int, run func(w *worker, task int)) {
	if tasks == 0 {
		return
	}
	b.e.phases = append(b.e.phases, phase{tasks: tasks, run: run, ahead: true, parts: parts{role: prepares}})
	if c := b.e.mem[buffer].changes; c != nil && !slices.Contains(b.e.ready.of, c) {
		b.e.ready.of, b.e.ready.seen = append(b.e.ready.of, c), append(b.e.ready.seen, 0)
	}
}

// assemble makes the jobs: with the phases that prepare and without.
func (e *executable) assemble() {
	for i, l := range e.labels() {
		e.phases[i].label = l
	}
	all := append(slices.Clone(e.fills), sideBySide(depthFirst(e.phases, e.b.depth), e.b.depth)...)
	e.job = e.b.workers.prepare(all)
	e.again = e.job
	if slices.ContainsFunc(all, func(p phase) bool { return p.ahead }) {
		e.again = e.b.workers.prepare(slices.DeleteFunc(slices.Clone(all), func(p phase) bool { return p.ahead }))
	}
	e.ready.made = false
}
