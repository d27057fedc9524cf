package cpu

import (
	"sync/atomic"
	"testing"
)

// A worker that looks while the next job is set, at any point, sees the job of the epoch or none: with the next job and the old
// epoch it would run tasks early, and once more than they are counted.
func TestWorkersSeeNoJobBeforeItsTurn(t *testing.T) {
	p := newWorkers(1) // no goroutine looks but this one
	defer p.close()
	ran := 0
	task := func(*worker, int) { ran++ }
	first := p.prepare([]phase{{tasks: 1, run: task}})
	second := p.prepare([]phase{{tasks: 1, run: task}})
	p.run(first)
	if j, e := p.current(); j != first || e != 1 {
		t.Errorf("after the first job: job %p of epoch %d, not %p of 1", j, e, first)
	}
	for _, next := range []*job{second, second, first} { // another job, the same again, and one that ran long ago
		e := p.epoch.Load()
		next.done.Store(uint64(e+1) << 32)
		if got, _ := p.current(); got == next {
			t.Error("the next job's counter is set: a worker would run it already")
		}
		p.job.Store(next)
		if got, _ := p.current(); got != nil {
			t.Error("the next job is set, its epoch is not: a worker would run it already")
		}
		p.epoch.Store(e + 1)
		if got, at := p.current(); got != next || at != e+1 {
			t.Errorf("the next job is set: a worker sees %p of %d, not %p of %d", got, at, next, e+1)
		}
	}
	if ran != 1 {
		t.Errorf("%d tasks ran in one job of one task", ran)
	}
}

// Short jobs that take turns, with workers that come late: every task runs once, and after the tasks of the phase before.
func TestWorkersRunEveryTaskOnce(t *testing.T) {
	const threads, tasks = 3, 7
	p := newWorkers(threads)
	defer p.close()
	var runs [2]atomic.Int32
	var early atomic.Int32
	phases := []phase{
		{tasks: tasks, run: func(*worker, int) { runs[0].Add(1) }},
		{tasks: tasks, run: func(*worker, int) {
			if runs[0].Load() != tasks {
				early.Add(1)
			}
			runs[1].Add(1)
		}},
	}
	jobs := []*job{p.prepare(phases), p.prepare(phases)}
	for i := range 2000 {
		runs[0].Store(0)
		runs[1].Store(0)
		p.run(jobs[i%len(jobs)])
		if a, b := runs[0].Load(), runs[1].Load(); a != tasks || b != tasks || early.Load() > 0 {
			t.Fatalf("job %d: %d and %d tasks of %d, %d of them early", i, a, b, tasks, early.Load())
		}
	}
}
