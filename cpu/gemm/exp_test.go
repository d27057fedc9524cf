package gemm

import (
	"fmt"
	"math/rand/v2"
	"os"
	"sort"
	"testing"
	"time"
	"unsafe"

	"aetrain/cpu/cpuinfo"
)

func timeIt(f func()) float64 {
	f()
	var ts []float64
	total := 0.0
	for total < 0.15 || len(ts) < 7 {
		t := time.Now()
		f()
		d := time.Since(t).Seconds()
		ts = append(ts, d)
		total += d
	}
	sort.Float64s(ts)
	return ts[0]
}

func TestExp(t *testing.T) {
	if os.Getenv("EXP") == "" {
		t.Skip()
	}
	tier := cpuinfo.AVX2
	peak := Peak(tier)
	fmt.Println("peak", peak)
	// microkernel
	buf := Alloc(1 << 20)
	for _, rows := range []int{6, 5, 4, 3} {
		for _, k := range []int{20, 128, 256, 384} {
			var g Args
			for i := range g.Rows {
				g.Rows[i] = uintptr(i * 400 * 4)
			}
			g.A, g.B, g.C = unsafe.Pointer(&buf[0]), unsafe.Pointer(&buf[200000]), unsafe.Pointer(&buf[400000])
			g.K, g.Segs, g.SAM, g.SAK, g.SBK = uintptr(k), 1, uintptr(k*4), 4, 64
			g.Tiles, g.TileA, g.TileC = 20, uintptr(rows*k*4), uintptr(rows*400*4)
			d := timeIt(func() {
				for range 10 {
					Micro(tier, &g, rows, 16)
				}
			})
			fmt.Printf("micro %dx16 K %d: %.1f%%\n", rows, k, 100*float64(2*rows*16*k*20*10)/d/1e9/peak)
		}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	fill := func(x []float32) []float32 {
		for i := range x {
			x[i] = rng.Float32() - 0.5
		}
		return x
	}
	for _, s := range benchShapes {
		opts := []Options{{}, {Serial: true}}
		for _, o := range opts {
			p := NewPlan(tier, s, o)
			c := &Call{A: fill(Alloc(s.M * s.K)), B: fill(Alloc(s.K * s.N)), C: Alloc(s.M * s.N),
				Shared: Alloc(p.SharedFloats()), Local: Alloc(p.LocalFloats())}
			var pack time.Duration
			d := timeIt(func() {
				t0 := time.Now()
				for task := range p.PackTasks() {
					p.Pack(task, c.A, c.B, c.Shared)
				}
				pack = time.Since(t0)
				for task := range p.Tasks() {
					p.Do(task, c)
				}
			})
			a, b := p.Packs()
			fmt.Printf("%-20v %5.1f%%  %s A %v B %v %dx%d tasks kc %d nc %d pack %.0f%% %.0fus %+v\n", s, 100*s.Flops()/d/1e9/peak, p.Method(), a, b, p.rowTasks, p.colTasks, p.kc, p.nc, 100*pack.Seconds()/d, d*1e6, o)
		}
	}
}
