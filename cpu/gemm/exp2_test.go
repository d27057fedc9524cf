package gemm

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"aetrain/cpu/cpuinfo"
)

func expRun(peak float64, s Shape, o Options) {
	tier := cpuinfo.AVX2
	rng := rand.New(rand.NewPCG(1, 1))
	fill := func(x []float32) []float32 {
		for i := range x {
			x[i] = rng.Float32() - 0.5
		}
		return x
	}
	p := NewPlan(tier, s, o)
	c := &Call{A: fill(Alloc(s.M * s.K)), B: fill(Alloc(s.K * s.N)), C: Alloc(s.M * s.N),
		Shared: Alloc(p.SharedFloats()), Local: Alloc(p.LocalFloats())}
	d := timeIt(func() {
		for task := range p.PackTasks() {
			p.Pack(task, c.A, c.B, c.Shared)
		}
		for task := range p.Tasks() {
			p.Do(task, c)
		}
	})
	a, b := p.Packs()
	fmt.Printf("%-20v %5.1f%%  %s A %v B %v %dx%d kc %d mc %d nc %d %.0fus\n", s, 100*s.Flops()/d/1e9/peak, p.Method(), a, b, p.rowTasks, p.colTasks, p.kc, p.mc, p.nc, d*1e6)
}

func TestExp2(t *testing.T) {
	if os.Getenv("EXP2") == "" {
		t.Skip()
	}
	peak := Peak(cpuinfo.AVX2)
	fmt.Println("peak", peak)

	for _, s := range []Shape{{M: 256, N: 49, K: 2304}, {M: 64, N: 49, K: 2304}, {M: 64, N: 196, K: 288}, {M: 32, N: 196, K: 288}, {M: 1000, N: 1000, K: 1000}, {M: 128, N: 400, K: 784}, {M: 128, N: 20, K: 400}, {M: 512, N: 512, K: 512}, {M: 1024, N: 1024, K: 1024}} {
		for _, pb := range []Packing{PackNone, PackLocal} {
			for _, pa := range []Packing{PackNone, PackLocal} {
				expRun(peak, s, Options{Serial: true, PackB: pb, PackA: pa})
			}
		}
	}
	for _, s := range []Shape{{M: 400, N: 784, K: 128, TransA: true}, {M: 784, N: 400, K: 128, TransA: true}, {M: 512, N: 512, K: 512, TransA: true}, {M: 512, N: 512, K: 128, TransA: true}, {M: 1024, N: 1024, K: 1024, TransA: true}, {M: 1000, N: 1000, K: 1000, TransA: true}, {M: 256, N: 256, K: 128, TransA: true}} {
		for _, pb := range []Packing{PackNone, PackLocal} {
			for _, pa := range []Packing{PackNone, PackLocal} {
				expRun(peak, s, Options{Serial: true, PackB: pb, PackA: pa})
			}
		}
	}
}
