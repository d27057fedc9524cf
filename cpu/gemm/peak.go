package gemm

import (
	"sync"
	"time"

	"aetrain/cpu/cpuinfo"
)

// Trials of a peak: short ones, spread in time. As other work may run beside them, each thread's best counts, and it counts as found
// when that many trials more have not made it better by more than a hundredth.
const (
	peakTrial  = 2 * time.Millisecond
	peakPause  = 8 * time.Millisecond
	peakSettle = 8
	peakMost   = 60
)

// Peak measures the register peak of this machine with a number of threads: the GFLOP/s of multiply-adds (for the Go tier,
// multiplications and additions of single floats) that wait for nothing, on all threads at once. It takes some 100 ms, on a busy
// machine up to half a second. It returns 0 for a tier that the processor lacks.
func Peak(t cpuinfo.Tier, threads int) float64 {
	if !cpuinfo.Has(t) {
		return 0
	}
	n := 1000
	for min(trial(t, n), trial(t, n), trial(t, n)) < peakTrial {
		n *= 2
	}
	flops := peakFlops(t, 1) * float64(n)
	best, settled := make([]float64, max(1, threads)), 0
	for range peakMost {
		better := false
		var all sync.WaitGroup
		rates := make([]float64, len(best))
		for i := range best {
			all.Go(func() { rates[i] = flops / trial(t, n).Seconds() / 1e9 })
		}
		all.Wait()
		for i, r := range rates {
			better = better || r > 1.01*best[i]
			best[i] = max(best[i], r)
		}
		if settled++; better {
			settled = 0
		}
		if settled == peakSettle {
			break
		}
		time.Sleep(peakPause)
	}
	sum := 0.0
	for _, r := range best {
		sum += r
	}
	return sum
}

// trial times n rounds.
func trial(t cpuinfo.Tier, n int) time.Duration {
	start := time.Now()
	peakFlops(t, n)
	return time.Since(start)
}
