package cpu

import (
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
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
	if j, e, _ := p.current(); j != first || e != 1 {
		t.Errorf("after the first job: job %p of epoch %d, not %p of 1", j, e, first)
	}
	for _, next := range []*job{second, second, first} { // another job, the same again, and one that ran long ago
		e := p.epoch.Load()
		next.done.Store(uint64(e+1) << 32)
		if got, _, _ := p.current(); got == next {
			t.Error("the next job's counter is set: a worker would run it already")
		}
		p.job.Store(next)
		if got, _, _ := p.current(); got != nil {
			t.Error("the next job is set, its epoch is not: a worker would run it already")
		}
		p.epoch.Store(e + 1)
		if got, at, _ := p.current(); got != next || at != e+1 {
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

// A worker that looks while the workers are closed knows that they are as soon as the epoch moves on: with the last epoch and without
// that knowledge it would wait for the next one, for ever.
func TestWorkersSeeTheEnd(t *testing.T) {
	for _, jobs := range []int{0, 1, 2} {
		p := newWorkers(1)
		j := p.prepare([]phase{{tasks: 1, run: func(*worker, int) {}}})
		for range jobs {
			p.run(j)
			if _, _, over := p.current(); over {
				t.Errorf("%d jobs: over before close", jobs)
			}
		}
		p.close()
		if got, e, over := p.current(); got != nil || e != uint32(jobs+1) || !over {
			t.Errorf("%d jobs, closed: job %p of epoch %d, over is %v", jobs, got, e, over)
		}
		p.close()
	}
}

// Workers end with close, whatever they are doing then: who is between two jobs does not take the last epoch for one more, and wait
// for the next.
func TestWorkersEnd(t *testing.T) {
	const threads, rounds = 3, 500
	before := workersAlive()
	for i := range rounds {
		p := newWorkers(threads)
		var here atomic.Int32
		awake := p.prepare([]phase{{tasks: threads, run: func(*worker, int) {
			for here.Add(1); here.Load() < threads; {
				runtime.Gosched()
			}
		}}})
		short := p.prepare([]phase{{tasks: 1, run: func(*worker, int) {}}})
		if i%10 > 0 { // else closed before any job
			p.run(awake)
			for range i % 10 {
				p.run(short)
			}
		}
		p.close()
		p.close()
	}
	for end := time.Now().Add(10 * time.Second); workersAlive() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d of %d workers wait for ever", workersAlive()-before, rounds*(threads-1))
		}
	}
}

// workersAlive counts the goroutines of workers.
func workersAlive() int {
	text := make([]byte, 8<<20)
	return strings.Count(string(text[:runtime.Stack(text, true)]), ").loop(")
}

// A job that is new, or that ran long ago, runs however many jobs there were, the counter's beginning anew included.
func TestWorkersEpochs(t *testing.T) {
	for _, c := range []struct {
		name          string
		first, second uint32 // epochs so far
	}{
		{"new", 1<<31 + 5, 1<<31 + 6},
		{"long ago", 3, 1<<31 + 10},
		{"begin anew", 1<<32 - 2, 1<<32 - 1},
		{"long ago, begin anew", 1<<32 - 2, 1 << 30},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newWorkers(1)
			ran := 0
			task := func(*worker, int) { ran++ }
			j := p.prepare([]phase{{tasks: 3, run: task}, {tasks: 1, run: task}})
			done := make(chan bool)
			go func() {
				for _, e := range []uint32{c.first, c.second} {
					p.epoch.Store(e)
					p.run(j)
				}
				close(done)
			}()
			select {
			case <-done:
			case <-time.After(10 * time.Second):
				t.Fatal("a task of the job is never taken")
			}
			if ran != 8 {
				t.Errorf("%d tasks ran in two runs of 4", ran)
			}
		})
	}
}
