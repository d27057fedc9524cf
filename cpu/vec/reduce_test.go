package vec

import (
	"math"
	"slices"
	"testing"

	"aetrain/internal/philox"
)

// The sums have the bits of plain Go in every tier; plain Go is compared with float64.
func TestSums(t *testing.T) {
	eachTier(t, func(t *testing.T, k *Kernels) {
		r := philox.New(3, 0)
		for _, n := range append(slices.Clone(lengths), 4095, 4096, 4097, 8192+63, 20_001) {
			a, b := normals(n+3, r)[3:], normals(n+1, r)[1:]
			for _, c := range []struct {
				name      string
				got, tree float32
				term      func(i int) float64
			}{
				{"Sum", k.Sum(a), sumGo(a), func(i int) float64 { return float64(a[i]) }},
				{"SumSquares", k.SumSquares(a), sumSquaresGo(a), func(i int) float64 { return float64(a[i]) * float64(a[i]) }},
				{"Dot", k.Dot(a, b), dotGo(a, b), func(i int) float64 { return float64(a[i]) * float64(b[i]) }},
			} {
				if math.Float32bits(c.got) != math.Float32bits(c.tree) {
					t.Errorf("%s of %d is %v, by plain Go %v", c.name, n, c.got, c.tree)
				}
				want, size := 0.0, 0.0
				for i := range n {
					want, size = want+c.term(i), size+math.Abs(c.term(i))
				}
				if math.Abs(float64(c.got)-want) > 3e-7*size {
					t.Errorf("%s of %d is %v, want %v", c.name, n, c.got, want)
				}
			}
		}
	})
}

func TestSumPropagatesNaN(t *testing.T) {
	eachTier(t, func(t *testing.T, k *Kernels) {
		for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1))} {
			for at := range 70 {
				x := make([]float32, 70)
				x[at] = bad
				if got := k.Sum(x); !sameBits(got, bad) {
					t.Errorf("Sum with %v at %d is %v", bad, at, got)
				}
			}
		}
	})
}

func TestExtremes(t *testing.T) {
	nan := float32(math.NaN())
	eachTier(t, func(t *testing.T, k *Kernels) {
		r := philox.New(4, 0)
		if got := k.MaxReduce(nil); !math.IsInf(float64(got), -1) {
			t.Errorf("MaxReduce of nothing is %v", got)
		}
		if got := k.MinReduce(nil); !math.IsInf(float64(got), 1) {
			t.Errorf("MinReduce of nothing is %v", got)
		}
		for _, n := range lengths[1:] {
			x := normals(n+2, r)[2:]
			for i := range x { // one sign only: masked lanes must not count as 0
				x[i] = float32(math.Abs(float64(x[i]))) + 1
			}
			if got, want := k.MaxReduce(x), slices.Max(x); got != want {
				t.Errorf("MaxReduce of %d is %v, want %v", n, got, want)
			}
			if got, want := k.MinReduce(x), slices.Min(x); got != want {
				t.Errorf("MinReduce of %d is %v, want %v", n, got, want)
			}
			k.Neg(x, x)
			if got, want := k.MaxReduce(x), slices.Max(x); got != want {
				t.Errorf("MaxReduce of %d negative numbers is %v, want %v", n, got, want)
			}
			x[r.IntN(n)] = nan
			if got := k.MaxReduce(x); got == got {
				t.Errorf("MaxReduce of %d with a NaN is %v", n, got)
			}
			if got := k.MinReduce(x); got == got {
				t.Errorf("MinReduce of %d with a NaN is %v", n, got)
			}
		}
	})
}

func TestAllFinite(t *testing.T) {
	eachTier(t, func(t *testing.T, k *Kernels) {
		for _, n := range lengths {
			x := make([]float32, n)
			k.Fill(x, math.MaxFloat32)
			if !k.AllFinite(x) {
				t.Fatalf("AllFinite of %d large numbers is false", n)
			}
			for i := range x {
				for _, bad := range []float64{math.Inf(1), math.Inf(-1), math.NaN()} {
					x[i] = float32(bad)
					if k.AllFinite(x) {
						t.Fatalf("AllFinite with %v at %d of %d is true", bad, i, n)
					}
				}
				x[i] = -math.MaxFloat32
			}
		}
	})
}

func TestColumnSum(t *testing.T) {
	eachTier(t, func(t *testing.T, k *Kernels) {
		r := philox.New(5, 0)
		for _, rows := range []int{0, 1, 2, 63, 64, 65, 130} {
			for _, cols := range append(slices.Clone(lengths[:40]), 63, 64, 65, 257, 300) {
				ld := cols + r.IntN(3)
				src, dst := normals(rows*ld, r), normals(cols+2, r)
				if rows > 0 {
					src = src[:(rows-1)*ld+cols]
				}
				want, exact := slices.Clone(dst), make([]float64, cols)
				columnSumGo(want[1:][:cols], src, rows, ld)
				for j := range cols {
					exact[j] = float64(dst[j+1])
					for i := range rows {
						exact[j] += float64(src[i*ld+j])
					}
				}
				k.ColumnSum(dst[1:][:cols], src, rows, ld)
				if !slices.Equal(dst, want) {
					t.Fatalf("%d rows of %d: %v, by plain Go %v", rows, cols, dst, want)
				}
				for j, w := range exact {
					if math.Abs(float64(dst[j+1])-w) > 1e-5 {
						t.Fatalf("%d rows, column %d of %d: %v, want %v", rows, j, cols, dst[j+1], w)
					}
				}
			}
		}
	})
}

func TestSumBlocks(t *testing.T) {
	eachTier(t, func(t *testing.T, k *Kernels) {
		src, dst := []float32{1, 2, 3, 10, 20, 30, 100, 200, 300}, []float32{9, 9, 9}
		if k.SumBlocks(dst, src, 3); !slices.Equal(dst, []float32{111, 222, 333}) {
			t.Errorf("three blocks: %v", dst)
		}
		if k.SumBlocks(dst, nil, 0); !slices.Equal(dst, make([]float32, 3)) {
			t.Errorf("no blocks: %v", dst)
		}
	})
}

func TestSoftmax(t *testing.T) {
	inf := float32(math.Inf(1))
	eachTier(t, func(t *testing.T, k *Kernels) {
		r := philox.New(7, 0)
		for _, n := range append(slices.Clone(lengths), 50_000) {
			for _, c := range []struct{ s, spread float32 }{{1, 8}, {0.25, 8}, {1, 0.01}} { // the last: sums of numbers that are alike
				checkSoftmax(t, k, normals(n+3, r), c.s, c.spread)
			}
		}
		for _, c := range []struct {
			name    string
			x, want []float32
		}{
			{"nothing but what is hidden", []float32{-1e9, -1e9, -1e9, -1e9}, []float32{0.25, 0.25, 0.25, 0.25}},
			{"far apart", []float32{1e9, -1e9, 0}, []float32{1, 0, 0}},
			{"minus infinity", []float32{0, -inf, 0}, []float32{0.5, 0, 0.5}},
			{"not a number", []float32{0, float32(math.NaN())}, []float32{inf, inf}},
			{"infinity", []float32{0, inf}, []float32{inf, inf}},
		} {
			got := make([]float32, len(c.x))
			k.Softmax(got, c.x, 0.5)
			for i, w := range c.want {
				if w == inf && got[i] == got[i] || w != inf && got[i] != w {
					t.Errorf("%s: %v, want %v (inf: NaN)", c.name, got, c.want)
				}
			}
		}
	})
}

// checkSoftmax holds a row in the middle of buf, of numbers that far apart, to the bound that vec.go states, also in place.
func checkSoftmax(t *testing.T, k *Kernels, buf []float32, s, spread float32) {
	t.Helper()
	n := len(buf) - 3
	buf[0], buf[n+1] = guard, guard
	x := buf[1:][:n]
	top := math.Inf(-1)
	for i := range x {
		x[i] = spread*x[i] - 40
		top = max(top, float64(x[i]))
	}
	total, mean, far, want := 0.0, 0.0, make([]float64, n), make([]float64, n)
	for i, v := range x {
		far[i] = float64(s) * (top - float64(v))
		want[i] = math.Exp(-far[i])
		total, mean = total+want[i], mean+want[i]*far[i]
	}
	got := make([]float32, n)
	k.Softmax(got, x, s)
	k.Softmax(x, x, s)
	for i := range x {
		bound := 6e-7 + 1.2e-7*(far[i]+mean/total) + 4e-9*float64(n)
		if w := want[i] / total; x[i] != got[i] || math.Abs(float64(got[i])-w) > bound*w {
			t.Fatalf("element %d of %d is %v, in place %v, want %v within %.2g of it", i, n, got[i], x[i], w, bound)
		}
	}
	if buf[0] != guard || buf[n+1] != guard {
		t.Fatalf("n=%d: wrote beyond dst", n)
	}
}
