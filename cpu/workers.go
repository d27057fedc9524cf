package cpu

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// phase is a set of independent tasks. All workers finish a phase before any starts the next.
type phase struct {
	tasks int
	run   func(w *worker, task int)
}

// worker is what one thread owns: memory that tasks may use as they like.
type worker struct {
	id    int
	local []float32 // scratch of the kernel that runs
	chain chainState
}

// spinLimit is how often a worker looks for others before it lets the scheduler run something else: a few microseconds.
const spinLimit = 1 << 12

// idleSpins is how long a worker waits for the next step before it parks, about 100 us: waking it costs as much.
const idleSpins = 1 << 16

// workers run phases in lockstep. The caller of run is worker 0; the others are goroutines that spin for a bounded time
// between steps and park then.
type workers struct {
	all    []*worker
	phases []phase
	base   uint32 // met when the run began
	epoch  atomic.Uint32
	_      [60]byte
	met    atomic.Uint32 // arrivals at barriers, of all runs: a worker may still be leaving the last one of the run before
	_      [60]byte
	sleep  sync.Mutex
	wake   *sync.Cond
	parked atomic.Int32
	quit   bool
	failed atomic.Pointer[any] // what a task panicked with
}

func newWorkers(n int) *workers {
	p := &workers{}
	p.wake = sync.NewCond(&p.sleep)
	for id := range n {
		p.all = append(p.all, &worker{id: id})
	}
	for _, w := range p.all[1:] {
		go p.loop(w)
	}
	return p
}

func (p *workers) count() int { return len(p.all) }

// reserve grows every worker's scratch.
func (p *workers) reserve(local, slots int) {
	for _, w := range p.all {
		if len(w.local) < local {
			w.local = alloc(local)
		}
		w.chain.reserve(slots)
	}
}

// run executes phases on all workers and returns when the last one is done. Calls must not overlap.
func (p *workers) run(phases []phase) {
	p.phases = phases
	p.base = p.met.Load()
	p.epoch.Add(1)
	if p.parked.Load() > 0 {
		p.sleep.Lock()
		p.wake.Broadcast()
		p.sleep.Unlock()
	}
	p.walk(p.all[0])
	if f := p.failed.Swap(nil); f != nil {
		panic(*f)
	}
}

// walk takes w through all phases: each worker has a fixed, contiguous part of the tasks.
func (p *workers) walk(w *worker) {
	n := len(p.all)
	gate := p.base
	for i := range p.phases {
		ph := &p.phases[i]
		from, to := w.id*ph.tasks/n, (w.id+1)*ph.tasks/n
		if ph.tasks == 1 { // small steps stay with the worker that is surely awake
			from, to = 0, 1
			if w.id != 0 {
				to = 0
			}
		}
		p.tasks(w, ph, from, to)
		if n > 1 {
			gate += uint32(n)
			p.met.Add(1)
			p.await(gate)
		}
	}
}

// tasks runs a range of tasks; a panic is kept for the caller of run, so that no worker waits for ever.
func (p *workers) tasks(w *worker, ph *phase, from, to int) {
	if from == to || p.failed.Load() != nil {
		return
	}
	defer func() {
		if r := recover(); r != nil {
			p.failed.Store(&r)
		}
	}()
	for t := from; t < to; t++ {
		ph.run(w, t)
	}
}

func (p *workers) await(gate uint32) {
	for n := 0; int32(p.met.Load()-gate) < 0; n++ {
		if n > spinLimit {
			runtime.Gosched()
			n = 0
		}
	}
}

func (p *workers) loop(w *worker) {
	var seen uint32
	for {
		for n := 0; p.epoch.Load() == seen; n++ {
			if n%spinLimit == spinLimit-1 {
				runtime.Gosched()
			}
			if n > idleSpins {
				p.park(seen)
				n = 0
			}
		}
		seen++
		if p.quit {
			return
		}
		p.walk(w)
	}
}

func (p *workers) park(seen uint32) {
	p.sleep.Lock()
	p.parked.Add(1)
	for p.epoch.Load() == seen {
		p.wake.Wait()
	}
	p.parked.Add(-1)
	p.sleep.Unlock()
}

func (p *workers) close() {
	if p.quit {
		return
	}
	p.quit = true
	p.sleep.Lock()
	p.epoch.Add(1)
	p.wake.Broadcast()
	p.sleep.Unlock()
}
