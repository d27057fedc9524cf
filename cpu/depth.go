package cpu

import (
	"fmt"
	"runtime/pprof"
	"slices"
)

// Depth first: phases that work example by example become one phase, whose tasks take a block of examples through all of them, so
// that what one leaves the next finds in its cache. What their tasks compute and in which order each adds up stays the same, so the
// bits do too.
//
// Phases that mix examples end a run only if the run has to wait for them: what prepares weights goes in front of it, and what sums
// up goes behind it.

// depthRule decides by the shapes alone where a run is worth it, so that the number of threads takes no part.
type depthRule struct {
	block  int  // bytes that two neighbours may read and write in a block, at most: a worker's share of a last-level cache
	shared int  // bytes of a value that two neighbours have in common, at least: less stays in that cache anyway
	small  int  // bytes of a phase that may be moved out of a run's way, at most
	tasks  int  // blocks, at least; 0: nothing is put together
	apart  bool // nor side by side
}

// depthWins was measured (docs/bench.md): with smaller values or larger blocks nothing more is gained.
var depthWins = depthRule{block: 4 << 20, shared: 6 << 20, small: 64 << 10, tasks: 8}

// depthUnits is in how many parts values are thought of, at most.
const depthUnits = 1024

// depthFirst puts runs together; the order of phases is otherwise kept.
func depthFirst(phases []phase, rule depthRule) []phase {
	if rule.tasks == 0 {
		return phases
	}
	var list []phase
	r := depthRun{depthRule: rule}
	for i := range phases {
		if p := &phases[i]; !r.take(p) {
			list = r.flush(list)
			if r = (depthRun{depthRule: rule}); !r.take(p) {
				list = append(list, *p)
			}
		}
	}
	return r.flush(list)
}

// depthRun is a run that grows.
type depthRun struct {
	depthRule
	all                   []*phase // in their order
	before, inside, after []*phase
	units                 int   // parts of the values
	cuts                  []int // where blocks may begin, and the end
}

// take adds a phase where that is possible: to the inside; or in front, if nothing of the run has to come before it; or behind.
func (r *depthRun) take(p *phase) bool {
	switch {
	case p.units > 0 && r.join(p):
	case len(r.inside) == 0:
		return false
	case p.units > 0 && p.bytes() > r.small:
		return false // it may begin the next run
	case !conflict(r.inside, p, false) && !conflict(r.after, p, false):
		r.before = append(r.before, p)
	default:
		r.after = append(r.after, p)
	}
	r.all = append(r.all, p)
	return true
}

// join adds a phase to the inside, if every block of it can follow the blocks before it and it has enough in common with them.
func (r *depthRun) join(p *phase) bool {
	units := p.granularity(r.units)
	var cuts []int
	if len(r.inside) == 0 {
		cuts = p.cuts(units, nil)
	} else {
		if conflict(r.inside, p, true) || conflict(r.after, p, false) {
			return false
		}
		last := r.neighbour(p)
		if last == nil {
			return false
		}
		cuts = rescale(r.cuts, r.units, units)
		cuts = p.cuts(units, cuts)
		if len(cuts)-1 < r.tasks || (last.bytes()+p.bytes())*widest(cuts)/units > r.block {
			return false
		}
	}
	if len(cuts)-1 < r.tasks {
		return false
	}
	r.inside, r.units, r.cuts = append(r.inside, p), units, cuts
	return true
}

// neighbour is the last phase that has much in common with p.
func (r *depthRun) neighbour(p *phase) *phase {
	for _, q := range slices.Backward(r.inside) {
		shared := 0
		for _, u := range p.uses {
			if !u.whole && slices.ContainsFunc(q.uses, func(v use) bool { return !v.whole && u.same(v) }) {
				shared += int(u.to - u.from)
			}
		}
		if shared >= r.shared {
			return q
		}
	}
	return nil
}

func conflict(list []*phase, p *phase, each bool) bool {
	return slices.ContainsFunc(list, func(q *phase) bool { return p.conflicts(q, each) })
}

// bytes are those of the values that p reads and writes by example.
func (p *phase) bytes() int {
	n := 0
	for _, u := range p.uses {
		if !u.whole {
			n += int(u.to - u.from)
		}
	}
	return n
}

// granularity is the largest number of parts, of so many before, into which all values of p fall.
func (p *phase) granularity(units int) int {
	n := gcd(p.units, units)
	for _, u := range p.uses {
		if !u.whole {
			n = gcd(n, u.size)
		}
	}
	for d := 2; n > depthUnits && d < n; {
		if n%d == 0 {
			n /= d
		} else {
			d++
		}
	}
	return n
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// cuts are those of old, or all of n units, where no task of p goes on.
func (p *phase) cuts(n int, old []int) []int {
	if old == nil {
		for i := range n + 1 {
			old = append(old, i)
		}
	}
	if p.span != nil {
		return old
	}
	inner := make([]bool, n+1)
	for t := range p.tasks {
		from, to := p.cover(t)
		for i := from*n/p.units + 1; i*p.units < to*n; i++ {
			inner[i] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(old), func(i int) bool { return inner[i] })
}

// rescale takes cuts of n units to m, which divides n; what lies between is none.
func rescale(cuts []int, n, m int) []int {
	var list []int
	for _, c := range cuts {
		if c*m%n == 0 {
			list = append(list, c*m/n)
		}
	}
	return list
}

func widest(cuts []int) int {
	w := 0
	for i := 1; i < len(cuts); i++ {
		w = max(w, cuts[i]-cuts[i-1])
	}
	return w
}

// flush appends what the run has become.
func (r *depthRun) flush(list []phase) []phase {
	if len(r.inside) < 2 {
		for _, p := range r.all {
			list = append(list, *p)
		}
		return list
	}
	for _, p := range r.before {
		list = append(list, *p)
	}
	list = append(list, r.merge())
	for _, p := range r.after {
		list = append(list, *p)
	}
	return list
}

// piece is what a block does of one phase: a range of units, or some tasks.
type piece struct {
	p        *phase
	from, to int
	tasks    []int
}

// merge makes one phase of the inside. Where phases carry labels, so do its pieces.
func (r *depthRun) merge() phase {
	cuts := r.blocks()
	blocks := make([][]piece, len(cuts)-1)
	for i := range blocks {
		for _, p := range r.inside {
			blocks[i] = append(blocks[i], p.piece(cuts[i], cuts[i+1], r.units))
		}
	}
	run := func(w *worker, task int) {
		for i := range blocks[task] {
			blocks[task][i].run(w)
		}
	}
	return phase{tasks: len(blocks), run: run, label: r.inside[0].label, inside: r.inside}
}

// blocks joins parts to blocks that fill a cache, as long as there are enough of them.
func (r *depthRun) blocks() []int {
	largest := 1
	for _, p := range r.inside {
		largest = max(largest, p.bytes())
	}
	size := min(r.block*r.units/2/largest, r.units/r.tasks/2)
	list := r.cuts[:1:1]
	for i := 1; i < len(r.cuts); i++ {
		if i == len(r.cuts)-1 || r.cuts[i+1]-list[len(list)-1] > size {
			list = append(list, r.cuts[i])
		}
	}
	return list
}

// piece is what p does between two of n units.
func (p *phase) piece(from, to, n int) piece {
	if p.span != nil {
		return piece{p: p, from: from * (p.units / n), to: to * (p.units / n)}
	}
	q := piece{p: p}
	for t := range p.tasks {
		if a, b := p.cover(t); a*n >= from*p.units && b*n <= to*p.units {
			q.tasks = append(q.tasks, t)
		}
	}
	return q
}

// run does the piece, by the same tasks as without a run or by one that covers them.
func (q *piece) run(w *worker) {
	if q.p.label != nil {
		pprof.SetGoroutineLabels(q.p.label)
	}
	if q.tasks == nil {
		q.p.span(w, q.from, q.to)
		return
	}
	for _, t := range q.tasks {
		q.p.run(w, t)
	}
}

// explainRuns says of each step that is part of a run what it runs with.
func (e *executable) explainRuns() {
	for _, p := range e.job.phases {
		if p.inside == nil {
			continue
		}
		first, last := p.inside[0].step, p.inside[len(p.inside)-1].step
		for _, q := range p.inside {
			for i := range e.choices {
				if c := &e.choices[i]; c.Step == q.step {
					c.DepthFirst = true
					c.Reason += fmt.Sprintf("; depth first in %d blocks with the steps from %d to %d", p.tasks, first, last)
				}
			}
		}
	}
}
