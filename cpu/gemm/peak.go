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
	return peak(threads, func(n int) float64 { return peakFlops(t, n) })
}

// PeakBF16 measures so the products of bfloat16: on the tiles of AMX where there are some and the system allows it, else of pairs by
// AVX512_BF16. It returns which of both, and 0 and "" where there is neither.
func PeakBF16(threads int) (gflops float64, by string) {
	switch {
	case cpuinfo.RequestAMX() == nil:
		return peak(threads, func(n int) float64 { return peakPairsFlops(true, n) }), "AMX"
	case cpuinfo.BF16():
		return peak(threads, func(n int) float64 { return peakPairsFlops(false, n) }), "AVX512_BF16"
	}
	return 0, ""
}

// peak measures rounds, which return what arithmetic n of them are.
func peak(threads int, rounds func(n int) float64) float64 {
	trial := func(n int) (flops float64, took time.Duration) {
		start := time.Now()
		flops = rounds(n)
		return flops, time.Since(start)
	}
	quickest := func(n int) time.Duration {
		best := time.Duration(1 << 62)
		for range 3 {
			_, took := trial(n)
			best = min(best, took)
		}
		return best
	}
	n := 1000
	for quickest(n) < peakTrial {
		n *= 2
	}
	best, settled := make([]float64, max(1, threads)), 0
	for range peakMost {
		better := false
		var all sync.WaitGroup
		rates := make([]float64, len(best))
		for i := range best {
			all.Go(func() {
				flops, took := trial(n)
				rates[i] = flops / took.Seconds() / 1e9
			})
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
