package vec

import (
	"math"
	"slices"
	"testing"

	"aetrain/internal/philox"
)

func TestConversions(t *testing.T) {
	eachTier(t, func(t *testing.T, k *Kernels) {
		r := philox.New(8, 0)
		for _, n := range lengths {
			bytes, ints, floats := make([]uint8, n), make([]int32, n), mixed(n, r)
			for i := range n {
				bytes[i], ints[i] = uint8(r.Uint32()), int32(r.Uint32())
			}
			got, want := make([]float32, n), make([]float32, n)
			k.Uint8ToFloat32(got, bytes, 1./255)
			if uint8ToFloat32Go(want, bytes, 1./255); !slices.Equal(got, want) {
				t.Fatalf("Uint8ToFloat32(%v) = %v, want %v", bytes, got, want)
			}
			k.Int32ToFloat32(got, ints)
			if int32ToFloat32Go(want, ints); !slices.Equal(got, want) {
				t.Fatalf("Int32ToFloat32(%v) = %v, want %v", ints, got, want)
			}
			back := make([]int32, n)
			k.Float32ToInt32(back, floats)
			if float32ToInt32Go(ints, floats); !slices.Equal(back, ints) {
				t.Fatalf("Float32ToInt32(%v) = %v, want %v", floats, back, ints)
			}
		}
	})
}

func TestFloat32ToInt32Limits(t *testing.T) {
	eachTier(t, func(t *testing.T, k *Kernels) {
		x := []float32{-0.9, 1.9, -1.9, 1 << 30, -(1 << 31), 1 << 31, 1e20, float32(math.NaN()), float32(math.Inf(-1))}
		want := []int32{0, 1, -1, 1 << 30, math.MinInt32, math.MinInt32, math.MinInt32, math.MinInt32, math.MinInt32}
		got := make([]int32, len(x))
		if k.Float32ToInt32(got, x); !slices.Equal(got, want) {
			t.Errorf("Float32ToInt32(%v) = %v, want %v", x, got, want)
		}
	})
}

func TestTranspose2D(t *testing.T) {
	eachTier(t, func(t *testing.T, k *Kernels) {
		r := philox.New(9, 0)
		for _, rows := range []int{0, 1, 3, 7, 8, 9, 16, 17, 40} {
			for _, cols := range []int{0, 1, 5, 8, 12, 16, 24, 31, 33} {
				lds, ldd := cols+r.IntN(4), rows+r.IntN(4)
				src, dst := normals(rows*lds, r), make([]float32, cols*ldd)
				if rows > 0 {
					src = src[:(rows-1)*lds+cols]
				}
				k.Fill(dst, guard)
				k.Transpose2D(dst, src, rows, cols, ldd, lds)
				for c := range cols {
					for i := range ldd {
						want := guard
						if i < rows {
							want = src[i*lds+c]
						}
						if got := dst[c*ldd+i]; got != want {
							t.Fatalf("%dx%d, strides %d to %d: column %d, row %d is %v, want %v", rows, cols, lds, ldd, c, i, got, want)
						}
					}
				}
			}
		}
	})
}
