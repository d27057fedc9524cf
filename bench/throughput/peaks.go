package throughput

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
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

// CPUPeaks measures this machine with a number of threads: its registers' multiply-adds, products of bfloat16 where it has them and
// they are among the precisions that will be asked for, and copying in memory. It takes some tenths of a second. A process that
// measures bfloat16 holds the tiles of AMX from then on, which is why others are spared it.
func CPUPeaks(threads int, precisions []string) Peaks {
	if threads < 1 {
		threads = runtime.GOMAXPROCS(0)
	}
	p := Peaks{GFLOPS: map[string]float64{"float32": gemm.Peak(cpuinfo.Best(), threads)}, GBps: copying(threads), Source: "measured"}
	if slices.Contains(precisions, "bf16") {
		if bf16, _ := gemm.PeakBF16(threads); bf16 > 0 {
			p.GFLOPS["bf16"] = bf16
		}
	}
	return p
}

// handOvers are the rounds of a measurement of the hand-over.
const handOvers = 500

// Trials are spread in time, as others may run beside them: the best counts, when so many more have not been better.
const (
	trials     = 5
	mostTrials = 40
	trialPause = 3 * time.Millisecond
)

// HandOver is how long a change that one core makes takes to be seen by another: half of the time that a cache line needs there and
// back, the least of some tries. Between cores that share no cache it is several times longer, and every step whose threads wait for
// each other is slower. It is 0 where Go has but one processor.
func HandOver() time.Duration {
	if runtime.GOMAXPROCS(0) < 2 {
		return 0
	}
	best := time.Duration(0)
	for settled, tries := 0, 0; settled < trials && tries < mostTrials; tries++ {
		settled++
		if d := pingPong(); best == 0 || d < best*95/100 {
			best, settled = d, 0
		}
		time.Sleep(trialPause)
	}
	return best
}

// pingPong lets two threads count in turn.
func pingPong() time.Duration {
	var ball struct {
		_  [64]byte
		at atomic.Int64
		_  [64]byte
	}
	turn := func(first int64) {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for want := first; want < 2*handOvers; want += 2 {
			for spins := 1; ball.at.Load() != want; spins++ {
				if spins%(1<<16) == 0 {
					runtime.Gosched() // the other one may have no processor
				}
			}
			ball.at.Store(want + 1)
		}
	}
	start := time.Now()
	together(2, func(i int) { turn(int64(i)) })
	return time.Since(start) / (2 * handOvers)
}

// What each thread copies at once, and all of them at most: more than caches hold, and nothing that a machine would miss.
const (
	copyBytes    = 32 << 20
	allCopyBytes = 1 << 30
)

// copying is how many GB/s go through memory while all threads copy, both ways counted.
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
	for settled, tries := 0, 0; settled < trials && tries < mostTrials; tries++ {
		start := time.Now()
		together(threads, func(i int) { copy(pairs[i].dst, pairs[i].src) })
		rate := 2 * float64(size) * float64(threads) / time.Since(start).Seconds() / 1e9
		if settled++; rate > 1.02*best {
			settled = 0
		}
		best = max(best, rate)
		time.Sleep(trialPause)
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
