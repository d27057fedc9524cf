package cpu

import (
	"fmt"
	"time"

	"aetrain/kernels"
	"aetrain/program"
)

// tuned is what autotuning found on processors.
var tuned = kernels.NewMeasurements("cpu")

// measure times a candidate on the step's own memory: the fastest of several runs after a warm-up. States hold what they held.
func (b *binder) measure(k kernels.Candidate[launch], s *step) (time.Duration, error) {
	for _, i := range s.src.Writes() {
		if m := b.e.mem[i]; b.e.p.Buffers[i].Place == program.Stored {
			was := newMemory(m.dtype, m.size)
			copyRange(was, 0, m, 0, m.size)
			defer copyRange(m, 0, was, 0, m.size)
		}
	}
	trial := &binder{b: b.b, e: &executable{b: b.b, p: b.e.p, mem: b.e.mem}, o: b.o, at: b.at, trial: true}
	if err := k.Bind(trial, s); err != nil {
		return 0, err
	}
	b.b.workers.reserve(trial.local, max(trial.slots, b.slots))
	job := b.b.workers.prepare(trial.e.phases)
	best := time.Duration(1 << 62)
	for i := range 5 {
		start := time.Now()
		b.b.workers.run(job)
		if d := time.Since(start); i > 0 && d < best {
			best = d
		}
	}
	return best, nil
}

// tuneKey names a case: instruction tier, op with attributes and shapes.
func tuneKey(b *Backend, c kernels.Case) string {
	return fmt.Sprintf("%v %s %+v %v", b.tier, c.Op.Name(), c.Op, c.In)
}
