package throughput

import (
	"runtime"
	"sync"
	"time"

	"aetrain/cpu/cpuinfo"
	"aetrain/cpu/gemm"
)

// Peaks are the limits of a device.
type Peaks struct {
	GFLOPS map[string]float64 `json:"gflops"`   // of products, by precision
	GBps   float64            `json:"gb_per_s"` // of its main memory
	Source string             `json:"source"`   // "measured" or "declared"
}

// CPUPeaks measures this machine with a number of threads: its registers' multiply-adds, and copying in memory. It takes some
// tenths of a second.
func CPUPeaks(threads int) Peaks {
	if threads < 1 {
		threads = runtime.GOMAXPROCS(0)
	}
	best, flops := 0.0, make([]float64, threads)
	for range 3 { // other work may run beside it
		together(threads, func(i int) { flops[i] = gemm.Peak(cpuinfo.Best()) })
		sum := 0.0
		for _, f := range flops {
			sum += f
		}
		best = max(best, sum)
	}
	return Peaks{GFLOPS: map[string]float64{"float32": best}, GBps: copying(threads), Source: "measured"}
}

// What each thread copies at once, and all of them at most: more than caches hold, and nothing that a machine would miss.
const (
	copyBytes    = 32 << 20
	allCopyBytes = 1 << 30
)

// copying is how many GB/s go through memory while all threads copy, both ways counted; the best of a few rounds.
func copying(threads int) float64 {
	type pair struct{ dst, src []byte }
	size := min(copyBytes, allCopyBytes/threads)
	pairs := make([]pair, threads)
	for i := range pairs {
		pairs[i] = pair{make([]byte, size), make([]byte, size)}
		for k := 0; k < len(pairs[i].src); k += 4096 {
			pairs[i].src[k] = 1 // a page of its own: pages never written are all the same one
		}
	}
	best := 0.0
	for range 5 {
		start := time.Now()
		together(threads, func(i int) { copy(pairs[i].dst, pairs[i].src) })
		best = max(best, 2*float64(size)*float64(threads)/time.Since(start).Seconds()/1e9)
	}
	return best
}

// together runs f on that many goroutines at once.
func together(threads int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range threads {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}
