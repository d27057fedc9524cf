package throughput

// Chip is what an NVIDIA GPU tells of itself, as far as its peaks follow from it.
type Chip struct {
	Major, Minor   int // compute capability
	SMs            int
	ClockKHz       int // the highest
	MemoryClockKHz int
	BusWidthBits   int
}

// rates are what a multiprocessor does in a clock: multiplications and additions of dense products.
type rates struct{ float32, tf32, bf16 float64 }

// perClock are the rates by compute capability. float32 is twice the number of CUDA cores; tensor cores' rates follow from the dense
// figures of NVIDIA's whitepapers (A100, H100, Blackwell; GA102, AD102 and GB202 with accumulation in float32), divided by
// multiprocessors and boost clock.
var perClock = map[[2]int]rates{
	{7, 0}: {128, 0, 0}, {7, 5}: {128, 0, 0},
	{8, 0}: {128, 1024, 2048}, {8, 6}: {256, 256, 512}, {8, 9}: {256, 256, 512},
	{9, 0}:  {256, 2048, 4096},
	{10, 0}: {256, 4096, 8192}, {10, 3}: {256, 4096, 8192},
	{12, 0}: {256, 256, 512},
}

// GPUPeaks are a GPU's declared limits: what its clocks and its units allow.
func GPUPeaks(c Chip) Peaks {
	p := Peaks{GFLOPS: map[string]float64{}, Source: "declared"}
	p.GBps = 2 * float64(c.MemoryClockKHz) * float64(c.BusWidthBits) / 8 / 1e6 // two transfers a clock
	r, ok := perClock[[2]int{c.Major, c.Minor}]
	if !ok {
		return p
	}
	for name, rate := range map[string]float64{"float32": r.float32, "tf32": r.tf32, "bf16": r.bf16} {
		if rate > 0 {
			p.GFLOPS[name] = rate * float64(c.SMs) * float64(c.ClockKHz) / 1e6
		}
	}
	return p
}
