package cpu

import (
	"sync/atomic"

	"aetrain/backend"
)

// BF16 computes products in bfloat16 by plain Go where the processor cannot.
func BF16() Option { return func(o *options) { o.bf16 = true } }

// AMX does so in the order in which tiles sum.
func AMX() Option { return func(o *options) { o.bf16, o.tiled = true, true } }

// Depth puts everything together that may run depth first; or nothing, not even side by side.
func Depth(on bool) Option {
	return func(o *options) {
		if o.depth = (depthRule{apart: true}); on {
			o.depth = depthRule{block: 1 << 40, shared: 1, small: 1 << 40, tasks: 2}
		}
	}
}

// Runs is how many phases of an executable are several, and how many phases these are of.
func Runs(e backend.Executable) (runs, phases int) {
	for _, p := range e.(*executable).job.phases {
		if p.inside != nil {
			runs, phases = runs+1, phases+len(p.inside)
		}
	}
	return runs, phases
}

// Waits is how often the workers wait for each other in a step, and how many phases are bound.
func Waits(e backend.Executable) (waits, phases int) {
	return len(e.(*executable).job.phases), len(e.(*executable).phases)
}

// CountTwins counts the blocks that b computes by the kernel of a cross-entropy and its sigmoid.
func CountTwins(b *Backend) *atomic.Int64 {
	n, k := new(atomic.Int64), *b.vec
	both := k.BCEAndSigmoid
	k.BCEAndSigmoid = func(loss, sigmoid, logit, target []float32) {
		n.Add(1)
		both(loss, sigmoid, logit, target)
	}
	b.vec = &k
	return n
}
