package cpu

import (
	"context"
	"runtime"
	"runtime/pprof"
	"sync"
	"sync/atomic"
)

// phase is a set of independent tasks. No task of a phase starts before all tasks of the phase before are done.
type phase struct {
	tasks  int
	run    func(w *worker, task int)
	ahead  bool            // it prepares memory that seldom changes
	label  context.Context // in CPU profiles; nil: none
	parts                  // what depth-first runs need to know
	inside []*phase        // of a depth-first run
}

// worker is what one thread owns: memory that tasks may use as they like.
type worker struct {
	id    int
	local []float32 // scratch of the kernel that runs
	chain chainState
}

const (
	// spinLimit is how often a worker looks for others before it lets the scheduler run something else: a few microseconds.
	spinLimit = 1 << 11
	// patience is how often a worker looks whether the others finish their own tasks before it takes some of them:
	// weights stay in the cache of the core that owns them unless that core is busy with something else.
	patience = 1 << 7
	// oldest is how many epochs a job may lie behind. Epochs begin anew after 2^32 jobs, and of two that lie half as far apart nobody
	// knows which one is later.
	oldest = 1 << 30
	// idleSpins is how often a worker looks for the next step before it parks, about 100 us: waking it costs as much.
	idleSpins = 1 << 15
)

// workers run the phases of a job together. The caller of run is worker 0, the others are goroutines that spin for a bounded
// time between jobs and park then. A job waits for tasks, not for workers: one that the system has put aside between two tasks
// holds nobody up, because the others take its tasks.
type workers struct {
	turn   sync.Mutex // of who runs a job or changes what workers own: two executables may be run by two goroutines
	all    []*worker
	job    atomic.Pointer[job]
	epoch  atomic.Uint32 // number of the job that runs; set after job
	_      [60]byte
	sleep  sync.Mutex
	wake   *sync.Cond
	parked atomic.Int32
	quit   atomic.Bool
	failed atomic.Pointer[any] // what a task panicked with
}

// job is a list of phases that may run many times. Its counters carry the epoch that they belong to in their upper half, so
// that a worker which wakes late sees that its turn is over, and nothing has to be reset.
type job struct {
	phases []phase
	ends   []uint32 // tasks up to and including each phase
	labels bool     // phases have labels
	done   atomic.Uint64
	_      [56]byte
	next   []counter // by phase and owner: the owner's next task
}

type counter struct {
	atomic.Uint64
	_ [56]byte // a cache line each
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
	p.turn.Lock()
	defer p.turn.Unlock()
	for _, w := range p.all {
		if len(w.local) < local {
			w.local = alloc(local)
		}
		w.chain.reserve(slots)
	}
}

// prepare makes a job of phases.
func (p *workers) prepare(phases []phase) *job {
	j := &job{phases: phases, next: make([]counter, len(phases)*len(p.all))}
	total := uint32(0)
	for _, ph := range phases {
		total += uint32(ph.tasks)
		j.ends = append(j.ends, total)
		j.labels = j.labels || ph.label != nil
	}
	return j
}

// run executes a job and returns when its last task is done. Jobs take turns.
func (p *workers) run(j *job) {
	p.turn.Lock()
	defer p.turn.Unlock()
	p.perform(j)
}

// perform executes a job for who has the turn.
func (p *workers) perform(j *job) {
	e := p.epoch.Load() + 1
	if e-uint32(j.done.Load()>>32) > oldest {
		j.renew(e - 1)
	}
	j.done.Store(uint64(e) << 32)
	p.job.Store(j)
	p.epoch.Store(e)
	if p.parked.Load() > 0 {
		p.sleep.Lock()
		p.wake.Broadcast()
		p.sleep.Unlock()
	}
	p.walk(p.all[0], j, e)
	if f := p.failed.Swap(nil); f != nil {
		panic(*f)
	}
}

// walk takes w through all phases of job j as it runs in epoch e.
func (p *workers) walk(w *worker, j *job, e uint32) {
	n := len(p.all)
	if j.labels {
		defer pprof.SetGoroutineLabels(context.Background())
	}
	for i := range j.phases {
		if l := j.phases[i].label; l != nil {
			pprof.SetGoroutineLabels(l)
		}
		j.work(p, w, i, w.id, e)
		for spins := 0; ; spins++ {
			d := j.done.Load()
			if uint32(d>>32) != e {
				return // the job was finished without this worker
			}
			if uint32(d) >= j.ends[i] {
				break
			}
			if spins == patience {
				for k := 1; k < n; k++ {
					j.work(p, w, i, (w.id+k)%n, e)
				}
			}
			if spins%spinLimit == spinLimit-1 {
				runtime.Gosched()
			}
		}
	}
}

// work runs tasks of phase i that belong to owner until none is left.
func (j *job) work(p *workers, w *worker, i, owner int, e uint32) {
	finished := 0
	for {
		task := j.take(i, owner, len(p.all), e)
		if task < 0 {
			break
		}
		p.task(w, &j.phases[i], task)
		finished++
	}
	if finished > 0 {
		j.done.Add(uint64(finished))
	}
}

// renew makes the counters those of a later epoch.
func (j *job) renew(e uint32) {
	for i := range j.next {
		j.next[i].Store(uint64(e) << 32)
	}
}

// take returns the owner's next task of phase i, or -1. Each owner has a fixed, contiguous part of the tasks.
func (j *job) take(i, owner, n int, e uint32) int {
	tasks := j.phases[i].tasks
	from, to := owner*tasks/n, (owner+1)*tasks/n
	if tasks == 1 { // small steps stay with the worker that is surely awake
		from, to = 0, 1
		if owner != 0 {
			return -1
		}
	}
	c := &j.next[i*n+owner]
	for {
		v := c.Load()
		at := from
		switch tag := uint32(v >> 32); {
		case tag == e:
			at = int(uint32(v))
		case int32(tag-e) > 0:
			return -1
		}
		if at >= to {
			return -1
		}
		if c.CompareAndSwap(v, uint64(e)<<32|uint64(at+1)) {
			return at
		}
	}
}

// task runs one task; a panic is kept for the caller of run, so that nobody waits for ever.
func (p *workers) task(w *worker, ph *phase, task int) {
	defer func() {
		if r := recover(); r != nil {
			kept := r // r itself would be on the heap whether or not the task failed
			p.failed.Store(&kept)
		}
	}()
	ph.run(w, task)
}

func (p *workers) loop(w *worker) {
	seen := uint32(0)
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
		j, e, over := p.current()
		if over {
			return
		}
		seen = e
		if j != nil {
			p.walk(w, j, e)
		}
	}
}

// current returns the epoch and its job, no job if that one is over, and whether the workers are. The job itself is asked for its
// epoch: between perform's stores the job is the next one and the epoch still the old one, and who took them for a pair would run
// tasks before their time. Whether all is over is asked behind the epoch, as close says it before: who has seen the last epoch knows.
func (p *workers) current() (j *job, e uint32, over bool) {
	e = p.epoch.Load()
	if p.quit.Load() {
		return nil, e, true
	}
	if j = p.job.Load(); uint32(j.done.Load()>>32) != e {
		j = nil
	}
	return j, e, false
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

// close ends the workers, after the job that runs.
func (p *workers) close() {
	p.turn.Lock()
	defer p.turn.Unlock()
	if p.quit.Swap(true) {
		return
	}
	p.sleep.Lock()
	p.epoch.Add(1)
	p.wake.Broadcast()
	p.sleep.Unlock()
}
