//go:build gpu

package gpu_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"aetrain/backend"
	"aetrain/gpu"
	"aetrain/graph"
	"aetrain/op"
)

// TestMaxPoolGrad follows places that a pooling found, and places from anywhere, many of them the same.
func TestMaxPoolGrad(t *testing.T) {
	b := open(t, gpu.Apart(), gpu.Without("nvrtc"))
	for i, c := range []op.PoolConfig{
		{KH: 2, KW: 2}, {KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1}, {KH: 3, KW: 2, StrideH: 2, StrideW: 3, PadH: 2}, {KH: 5, KW: 4, StrideH: 2, StrideW: 1},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			g := graph.New()
			x := drawn(uint64(i), -1, 1, 3, 5, 9, 11)
			v := g.Input("x", x.Spec)
			y := op.MaxPool2D(v, c)
			grads := graph.Grad(op.SumAll(op.Square(y)), v)
			want, err := graph.Evaluate(grads, map[string]graph.Tensor{"x": x})
			if err != nil {
				t.Fatal(err)
			}
			for _, kernel := range []string{"windows", "claims"} {
				got := runValues(t, b, backend.Options{Seed: 1, Strict: true, Kernels: map[string]string{"max_pool2d_grad": kernel}}, grads, map[string]graph.Tensor{"x": x})
				near(t, kernel, got[0].Data, want[0].Data, 1e-6)
			}
		})
	}
	rng := rand.New(rand.NewPCG(1, 1))
	places := graph.NewTensor(graph.I32(2, 3, 20, 30))
	for i := range places.Data {
		places.Data[i] = float64(rng.IntN(9) - 2)
	}
	checkOp(t, b, "claims", 1e-6, op.MaxPoolScatter{H: 2, W: 3}, drawn(1, -1, 1, 2, 3, 20, 30), places)
}

// TestMaxPoolNaN: a NaN wins over numbers, the first of them.
func TestMaxPoolNaN(t *testing.T) {
	b := open(t)
	x := drawn(1, -1, 1, 1, 1, 4, 4)
	x.Data[5], x.Data[6], x.Data[0] = math.NaN(), math.NaN(), math.Inf(-1)
	checkOp(t, b, "", 0, op.MaxPool{PoolConfig: op.PoolConfig{KH: 3, KW: 3, StrideH: 1, StrideW: 1}}, x)
}

// TestScatterAddOrder adds many rows to few places, bit for bit in the order of the index.
func TestScatterAddOrder(t *testing.T) {
	b := open(t, gpu.Apart(), gpu.Without("nvrtc"))
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct{ count, rows, n int }{{3000, 5, 3}, {2100, 600, 1}, {1024, 40, 70}, {7, 9, 300}, {1500, 1, 33}, {50, 3000, 2}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			index, src := graph.NewTensor(graph.I32(c.count)), drawn(3, -1, 1, c.count, c.n)
			for i := range index.Data {
				index.Data[i] = float64(rng.IntN(c.rows+2) - 1)
			}
			got := compute(t, b, "", op.ScatterRows{Rows: c.rows}, index, src)[0]
			want := make([]float32, c.rows*c.n)
			for i, at := range index.Data {
				r := min(max(int(at), 0), c.rows-1)
				for j := range c.n {
					want[r*c.n+j] += float32(src.Data[i*c.n+j])
				}
			}
			for i, w := range want {
				if float32(got.Data[i]) != w {
					t.Fatalf("element %d is %v, want %v to the bit", i, got.Data[i], w)
				}
			}
		})
	}
}

// TestMoves reorders, joins, cuts and pads values of all types, by units of 1, 4 and 16 bytes.
func TestMoves(t *testing.T) {
	b := open(t, gpu.Apart(), gpu.Without("nvrtc"))
	bytes := func(dims ...int) graph.Tensor {
		x := graph.NewTensor(graph.U8(dims...))
		for i := range x.Data {
			x.Data[i] = float64(i * 7 % 256)
		}
		return x
	}
	for _, perm := range [][]int{{1, 0}, {0, 1}} {
		checkOp(t, b, "", 0, op.TransposeOp{Perm: perm}, drawn(1, -1, 1, 70, 45))
		checkOp(t, b, "", 0, op.TransposeOp{Perm: perm}, bytes(70, 45))
		checkOp(t, b, "", 0, op.TransposeOp{Perm: perm}, bytes(5, 300))
	}
	checkOp(t, b, "", 0, op.TransposeOp{Perm: []int{0, 2, 1}}, drawn(1, -1, 1, 9, 33, 40))
	checkOp(t, b, "", 0, op.TransposeOp{Perm: []int{0, 3, 1, 2}}, drawn(1, -1, 1, 3, 9, 8, 5))
	checkOp(t, b, "", 0, op.TransposeOp{Perm: []int{2, 1, 0, 3}}, bytes(3, 9, 8, 5))
	checkOp(t, b, "", 0, op.TransposeOp{Perm: []int{5, 3, 1, 4, 2, 0, 6}}, drawn(1, -1, 1, 2, 3, 2, 3, 2, 3, 2))
	checkOp(t, b, "", 0, op.Broadcast{Dims: graph.Shape{2, 4, 3, 5}}, bytes(4, 1, 5))
	for _, n := range []int{4, 5, 16, 48} {
		checkOp(t, b, "", 0, op.Concatenation{Axis: 1}, bytes(6, n), bytes(6, 2*n), bytes(6, 3))
		checkOp(t, b, "", 0, op.Concatenation{Axis: 1}, drawn(1, -1, 1, 3, n), drawn(2, -1, 1, 3, 2*n))
		checkOp(t, b, "", 0, op.Part{Axis: 1, From: 4, To: n}, bytes(7, n))
		checkOp(t, b, "", 0, op.Border{Axis: 0, Before: 1, After: 2, Value: 3}, bytes(7, n))
		checkOp(t, b, "", 0, op.GatherRows{}, bytes(7, n), words([]float64{6, -3, 9, 0, 2}, 5))
		checkOp(t, b, "", 0, op.GatherRows{}, drawn(1, -1, 1, 7, n), words([]float64{6, -3, 9, 0, 2, 2}, 2, 3))
	}
}

// TestUpsampleScales has scales that do not divide evenly, against the definition.
func TestUpsampleScales(t *testing.T) {
	b := open(t, gpu.Apart(), gpu.Without("nvrtc"))
	for _, mode := range []string{op.Nearest, op.Bilinear} {
		for _, scale := range [][2]int{{1, 1}, {2, 5}, {3, 4}, {7, 2}} {
			u := op.Upsample{ScaleH: scale[0], ScaleW: scale[1], Mode: mode}
			checkOp(t, b, "", 1e-6, u, drawn(1, -1, 1, 2, 9, 5, 6))
			checkOp(t, b, "", 2e-6, op.UpsampleGrad(u), drawn(2, -1, 1, 2, 9, 5*scale[0], 6*scale[1]))
		}
	}
}
