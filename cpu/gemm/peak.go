package gemm

import (
	"time"

	"aetrain/cpu/cpuinfo"
)

// Peak measures the register peak of one core of this machine: the GFLOP/s of multiply-adds (for the Go tier,
// multiplications and additions of single floats) that wait for nothing. It takes some 30 ms; the best of a few rounds
// counts, as other work may run beside it. It returns 0 for a tier that the processor lacks.
func Peak(t cpuinfo.Tier) float64 {
	if !cpuinfo.Has(t) {
		return 0
	}
	best, n := 0.0, 1000
	for rounds := 0; rounds < 10; {
		start := time.Now()
		flops := peakFlops(t, n)
		d := time.Since(start)
		if d < 2*time.Millisecond {
			n *= 2
			continue
		}
		best = max(best, flops/d.Seconds()/1e9)
		rounds++
	}
	return best
}
