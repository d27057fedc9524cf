package vec

import (
	"slices"
	"testing"
	"time"

	"aetrain/cpu/cpuinfo"
	"aetrain/internal/philox"
)

// BenchmarkElementwise times each kernel over slices that fit the first-level cache, after checking one result, and reports
// elements/ns:
//
//	go test ./cpu/vec -bench 'Elementwise/avx2' -benchtime 20ms -run '^$'
func BenchmarkElementwise(b *testing.B) {
	const n = 2048
	eachBenchTier(b, func(b *testing.B, k *Kernels) {
		for _, c := range elementwiseKernels {
			r := philox.New(1, 1)
			x := [][]float32{normals(n, r), normals(n, r), normals(n, r)}[:c.in]
			got, want := make([]float32, n), make([]float32, n)
			b.Run(c.name, func(b *testing.B) {
				c.run(k, got, x, 0.3)
				c.run(&goKernels, want, x, 0.3)
				for i := range got {
					if !c.close(got[i], want[i], x, i) {
						b.Fatalf("element %d is %v, want %v", i, got[i], want[i])
					}
				}
				report(b, n, func() { c.run(k, got, x, 0.3) })
			})
		}
	})
}

// BenchmarkOther times what is not elementwise.
func BenchmarkOther(b *testing.B) {
	const n = 2048
	eachBenchTier(b, func(b *testing.B, k *Kernels) {
		r := philox.New(1, 2)
		x, y, z := normals(n, r), normals(n, r), make([]float32, n)
		m, v, g := normals(n, r), make([]float32, n), normals(n, r)
		k.Square(v, m)
		bytes := make([]uint8, n)
		want := make([]float32, n)
		for _, c := range []struct {
			name     string
			run, ref func(dst []float32)
		}{
			{"Sum", func(d []float32) { d[0] = k.Sum(x) }, func(d []float32) { d[0] = sumGo(x) }},
			{"Dot", func(d []float32) { d[0] = k.Dot(x, y) }, func(d []float32) { d[0] = dotGo(x, y) }},
			{"MaxReduce", func(d []float32) { d[0] = k.MaxReduce(x) }, func(d []float32) { d[0] = maxReduceGo(x) }},
			{"Softmax", func(d []float32) { k.Softmax(d[:64], x[:64], 1) }, func(d []float32) { k.Softmax(d[:64], x[:64], 1) }},
			{"AllFinite", func(d []float32) { d[0] = one(k.AllFinite(x)) }, func(d []float32) { d[0] = one(allFiniteGo(x)) }},
			{"ColumnSum", func(d []float32) { clear(d); k.ColumnSum(d[:32], x, 64, 32) }, func(d []float32) { clear(d); columnSumGo(d[:32], x, 64, 32) }},
			{"Uint8ToFloat32", func(d []float32) { k.Uint8ToFloat32(d, bytes, 0.5) }, func(d []float32) { uint8ToFloat32Go(d, bytes, 0.5) }},
			{"Transpose2D", func(d []float32) { k.Transpose2D(d, x, 32, 64, 32, 64) }, func(d []float32) { transpose2DGo(d, x, 32, 64, 32, 64) }},
			{"Uniforms", func(d []float32) { k.Uniforms(d, 1, 2, 3, 4, 5) }, func(d []float32) { philox.Uniforms(d, 1, 2, 3, 4, 5) }},
			{"Normals", func(d []float32) { k.Normals(d, 1, 2, 3, 4, 5) }, func(d []float32) { philox.NormalsRow(d, 1, 2, 3, 4, 5) }},
		} {
			b.Run(c.name, func(b *testing.B) {
				clear(z)
				clear(want)
				c.run(z)
				if c.ref(want); !slices.Equal(z, want) {
					b.Fatalf("%v, want %v", z[:8], want[:8])
				}
				report(b, n, func() { c.run(z) })
			})
		}
		b.Run("Adam", func(b *testing.B) {
			out, ref := make([]float32, n), make([]float32, n)
			p1, m1 := make([]float32, n), make([]float32, n)
			k.Adam(out, p1, m1, x, m, v, g, &adamArgs)
			adamGo(ref, p1, m1, x, m, v, g, &adamArgs)
			for i := range out {
				if ulps(out[i], float64(ref[i])) > 64 {
					b.Fatalf("element %d is %v, want %v", i, out[i], ref[i])
				}
			}
			report(b, n, func() { k.Adam(x, m, v, x, m, v, g, &adamArgs) })
		})
	})
}

func eachBenchTier(b *testing.B, f func(b *testing.B, k *Kernels)) {
	for _, tier := range cpuinfo.Tiers() {
		b.Run(tier.String(), func(b *testing.B) { f(b, For(tier)) })
	}
}

// report times f in groups of calls and reports the fastest group: other work on the machine only ever adds time.
func report(b *testing.B, n int, f func()) {
	const calls = 8
	best := time.Duration(1 << 62)
	for b.Loop() {
		start := time.Now()
		for range calls {
			f()
		}
		best = min(best, time.Since(start))
	}
	b.ReportMetric(float64(n*calls)/float64(best.Nanoseconds()), "elements/ns")
	b.ReportMetric(0, "ns/op")
}
