package gemm

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"aetrain/cpu/cpuinfo"
)

// benchShapes are those of real steps: the three passes of a dense VAE at batch 128, convolutions by patches, large squares.
var benchShapes = []Shape{
	{M: 128, N: 400, K: 784, TransB: true}, // forward
	{M: 128, N: 40, K: 400, TransB: true},  // to the latents
	{M: 128, N: 400, K: 20, TransB: true},  // from the latents
	{M: 128, N: 784, K: 400, TransB: true}, // to the output
	{M: 128, N: 400, K: 784},               // gradient of an input
	{M: 128, N: 784, K: 400},               //
	{M: 128, N: 20, K: 400},                //
	{M: 400, N: 784, K: 128, TransA: true}, // gradient of weights
	{M: 784, N: 400, K: 128, TransA: true}, //
	{M: 40, N: 400, K: 128, TransA: true},  //
	{M: 1, N: 400, K: 784, TransB: true},   // one example
	{M: 1, N: 784, K: 400},                 //
	{M: 1024, N: 1, K: 1024},               // matrix times vector
	{M: 32, N: 784, K: 9},                  // convolutions
	{M: 64, N: 196, K: 288},                //
	{M: 256, N: 49, K: 2304},               //
	{M: 64, N: 288, K: 196, TransB: true},  //
	{M: 512, N: 512, K: 512},               // strides that alias
	{M: 512, N: 512, K: 512, TransB: true}, //
	{M: 1024, N: 1024, K: 1024},            //
	{M: 1000, N: 1000, K: 1000},            //
	{M: 1024, N: 1024, K: 1024, TransB: true},
	{M: 1024, N: 1024, K: 1024, TransA: true},
}

// BenchmarkPlan times a whole product on one core, packing included, and reports GFLOP/s and the share of the
// register peak. The result is checked first.
func BenchmarkPlan(b *testing.B) {
	for _, tier := range cpuinfo.Tiers() {
		peak := Peak(tier, 1)
		b.Logf("%v: register peak %.1f GFLOP/s", tier, peak)
		for _, s := range benchShapes {
			b.Run(fmt.Sprintf("%v/%v", tier, s), func(b *testing.B) { benchmark(b, tier, s, Options{}, peak) })
		}
	}
}

func benchmark(b *testing.B, tier cpuinfo.Tier, s Shape, o Options, peak float64) {
	p := NewPlan(tier, s, o)
	rng := rand.New(rand.NewPCG(1, 1))
	fill := func(x []float32) []float32 {
		for i := range x {
			x[i] = rng.Float32() - 0.5
		}
		return x
	}
	c := &Call{A: fill(Alloc(s.M * s.K)), B: fill(Alloc(s.K * s.N)), C: Alloc(s.M * s.N),
		Shared: Alloc(p.SharedFloats()), Local: Alloc(p.LocalFloats())}
	once := func() {
		for task := range p.PackTasks() {
			p.Pack(task, c.A, c.B, c.Shared)
		}
		for task := range p.Tasks() {
			p.Do(task, c)
		}
	}
	once()
	spotCheck(b, p, c, rng)
	b.ResetTimer()
	for b.Loop() {
		once()
	}
	gflops := s.Flops() * float64(b.N) / b.Elapsed().Seconds() / 1e9
	b.ReportMetric(gflops, "GFLOP/s")
	b.ReportMetric(100*gflops/peak, "%peak")
}

// spotCheck compares a few elements with a sum in float64.
func spotCheck(b *testing.B, p *Plan, c *Call, rng *rand.Rand) {
	b.Helper()
	ref := &problem{s: p.Shape}
	for range 50 {
		i, j, want := rng.IntN(p.M), rng.IntN(p.N), 0.0
		for k := range p.K {
			want += ref.at(c.A, p.LDA, p.TransA, i, k) * ref.at(c.B, p.LDB, p.TransB, k, j)
		}
		if got := float64(c.C[i*p.LDC+j]); got-want > 1e-3 || want-got > 1e-3 {
			b.Fatalf("%v: C[%d][%d] = %g, want %g", p.Shape, i, j, got, want)
		}
	}
}
