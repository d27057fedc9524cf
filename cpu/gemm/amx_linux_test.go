//go:build linux && amd64 && !noasm

package gemm

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"

	"aetrain/cpu/cpuinfo"
)

// TestSignalsAMX multiplies on several threads while signals come: what handlers leave behind are the same tiles.
func TestSignalsAMX(t *testing.T) {
	skipWithoutTiles(t)
	rng := rand.New(rand.NewPCG(14, 0))
	s := Shape{M: 64, N: 64, K: 64 * TileK, TransB: true}
	a, b := random(rng, s.M*s.K), random(rng, s.N*s.K)
	Pairs(a, random(rng, 2*s.M*s.K), s.M, 2*s.K, 2*s.K, s.K, false)
	Pairs(b, random(rng, 2*s.N*s.K), s.N, 2*s.K, 2*s.K, s.K, false)
	p := NewPlan(cpuinfo.AVX512, s, Options{BF16: true, Tiles: true, Serial: true})
	product := func() []float32 {
		c := make([]float32, s.M*s.N)
		p.Do(0, &Call{A: a, B: b, C: c, Local: Alloc(p.LocalFloats())})
		return c
	}
	want := product()
	ended := make(chan struct{})
	var threads, signals sync.WaitGroup
	signals.Go(func() {
		for {
			select {
			case <-ended:
				return
			default:
				_ = syscall.Kill(syscall.Getpid(), syscall.SIGURG) // which the runtime takes for its own preemption
				runtime.Gosched()
			}
		}
	})
	for range 3 {
		threads.Go(func() {
			for range 30 {
				if !slices.Equal(product(), want) {
					t.Error("a product has other bits under signals")
					return
				}
			}
		})
	}
	threads.Wait()
	close(ended)
	signals.Wait()
}
