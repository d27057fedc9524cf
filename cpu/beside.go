package cpu

import (
	"cmp"
	"runtime/pprof"
	"slices"
)

// sideBySide puts consecutive phases together that have nothing to do with one another: the updates of all parameters, projections
// of one input, a batch's sums and the next product's packing. Workers then wait for each other once. The tasks stay the same, and so do the
// bits.
func sideBySide(phases []phase, rule depthRule) []phase {
	if rule.apart {
		return phases
	}
	var list []phase
	for from := 0; from < len(phases); {
		to := from + 1
		for to < len(phases) && joins(phases[from:to], &phases[to]) {
			to++
		}
		list = append(list, beside(phases[from:to]))
		from = to
	}
	return list
}

// besideBytes is what a phase may use to stand beside others, unless it is a chain alone and reads everything once: two gradients of
// a convolution in turn take each other's operands out of the cache (a step of vq-vae was 12% slower).
const besideBytes = 1 << 20

// joins reports whether p may run at the same time as each of group.
func joins(group []phase, p *phase) bool {
	for i := range group {
		if q := &group[i]; q.alone() || p.alone() || p.conflicts(q, false) {
			return false
		}
	}
	return true
}

// alone is what stays on its own: what may be left out of a job, runs, whose memory is not listed in one place, and large phases.
func (p *phase) alone() bool {
	bytes := 0
	for _, u := range p.uses {
		bytes += int(u.to - u.from)
	}
	return p.ahead || p.inside != nil || len(p.uses) == 0 || bytes > besideBytes && !p.chain
}

// beside makes one phase of a group. Its tasks are in the order of the fraction of their own phase at which they stand: so a worker
// gets the part of each that it would own if they were alone, and what it left in its cache there.
func beside(group []phase) phase {
	if len(group) == 1 {
		return group[0]
	}
	type task struct {
		p    *phase
		task int
		at   float64
	}
	var tasks []task
	for i := range group {
		p := &group[i]
		for t := range p.tasks {
			tasks = append(tasks, task{p, t, (float64(t) + 0.5) / float64(p.tasks)})
		}
	}
	slices.SortStableFunc(tasks, func(a, b task) int { return cmp.Compare(a.at, b.at) })
	run := func(w *worker, i int) {
		t := &tasks[i]
		if t.p.label != nil {
			pprof.SetGoroutineLabels(t.p.label)
		}
		t.p.run(w, t.task)
	}
	return phase{tasks: len(tasks), run: run, label: group[0].label, parts: parts{step: group[0].step}}
}
