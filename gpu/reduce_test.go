//go:build gpu

package gpu_test

import (
	"fmt"
	"math"
	"testing"

	"aetrain/gpu"
	"aetrain/graph"
	"aetrain/op"
)

// reductions are shapes that meet every kernel and every way to share a fold out.
var reductions = []struct {
	dims, axes []int
}{
	{[]int{1}, []int{0}},
	{[]int{3, 1}, []int{1}},
	{[]int{5000}, []int{0}},                 // a full sum in one block
	{[]int{100003}, []int{0}},               // in parts, the last one short
	{[]int{400, 784}, []int{0, 1}},          // in parts, four at once
	{[]int{128, 784}, []int{1}},             // a block a row
	{[]int{7, 5000}, []int{1}},              // few rows
	{[]int{3, 100000}, []int{1}},            // few long rows
	{[]int{5000, 3}, []int{1}},              // rows shorter than a warp
	{[]int{4099, 20}, []int{1}},             // many rows
	{[]int{4100, 400}, []int{1}},            // a warp a row
	{[]int{128, 400}, []int{0}},             // a bias gradient
	{[]int{128, 3}, []int{0}},               // of few outputs
	{[]int{10000, 5}, []int{0}},             // tall
	{[]int{2000, 70}, []int{0}},             // tall, in parts
	{[]int{3, 70001}, []int{0}},             // few rows, many columns
	{[]int{40, 70000}, []int{0}},            // a thread a column
	{[]int{6, 50, 33}, []int{1}},            // columns with an outer axis
	{[]int{70, 100, 2}, []int{1}},           //
	{[]int{16, 3, 7, 7}, []int{0, 2, 3}},    // channels, no multiple of four
	{[]int{128, 6, 14, 14}, []int{0, 2, 3}}, // channels, in parts
	{[]int{16, 300, 2, 2}, []int{0, 2, 3}},  // planes too short to leap over
	{[]int{4, 3, 5, 2, 3}, []int{0, 2, 4}},  // several passes
	{[]int{4, 3, 5, 2, 3}, []int{1, 3}},
	{[]int{4, 1, 5, 1, 3}, []int{1, 3}}, // nothing to fold
	{[]int{2, 3, 4, 5}, []int{0, 1, 2, 3}},
}

func TestReductions(t *testing.T) {
	b := open(t, gpu.Apart())
	for i, c := range reductions {
		x := drawn(uint64(i), -1, 2, c.dims...)
		for _, o := range []graph.Op{op.Reduce{Axes: c.axes}, op.ReduceMaxOp{Axes: c.axes}, op.ReduceMinOp{Axes: c.axes}} {
			t.Run(fmt.Sprint(o.Name(), c.dims, c.axes), func(t *testing.T) {
				tolerance := 0.0
				if o.Name() == "ReduceSum" {
					tolerance = 5e-6
				}
				checkOp(t, b, "", tolerance, o, x)
			})
		}
		for _, axis := range c.axes {
			t.Run(fmt.Sprint("LogSumExp", c.dims, axis), func(t *testing.T) {
				checkOp(t, b, "", 2e-6, op.LogSumExpOp{Axis: axis}, drawn(uint64(i), -20, 20, c.dims...))
			})
		}
	}
}

// extremeRows have what is no ordinary number at every place that a thread or a part may have.
func extremeRows(n int) graph.Tensor {
	inf, nan := math.Inf(1), math.NaN()
	kinds := [][2]float64{{nan, 0}, {inf, 0}, {-inf, 0}, {nan, inf}, {inf, -inf}, {-inf, -inf}, {inf, inf}, {3e38, 0}, {1e-42, 0}}
	x := drawn(9, -1, 1, len(kinds), n)
	for r, k := range kinds {
		row := x.Data[r*n : (r+1)*n]
		if k[0] == k[1] {
			for i := range row {
				row[i] = k[0]
			}
			continue
		}
		row[n-1] = k[0]
		if k[1] != 0 {
			row[n/2] = k[1]
		}
	}
	return x
}

// TestExtremes checks NaN and infinities along rows and columns.
func TestExtremes(t *testing.T) {
	b := open(t, gpu.Apart())
	for _, n := range []int{2, 5, 64, 1000, 9001} {
		x := extremeRows(n)
		transposed := graph.NewTensor(graph.F32(n, x.Shape[0]))
		for i := range x.Data {
			transposed.Data[i%n*x.Shape[0]+i/n] = x.Data[i]
		}
		for axis, in := range []graph.Tensor{transposed, x} {
			for _, o := range []graph.Op{op.ReduceMaxOp{Axes: []int{axis}}, op.ReduceMinOp{Axes: []int{axis}}, op.LogSumExpOp{Axis: axis}} {
				t.Run(fmt.Sprint(o.Name(), in.Shape, axis), func(t *testing.T) { checkOp(t, b, "", 2e-6, o, in) })
			}
		}
		for _, o := range rowOps() {
			t.Run(fmt.Sprint(o.Name(), n), func(t *testing.T) { checkOp(t, b, "", 2e-6, o, x) })
		}
	}
}

// rowOps are the ops that work along the last axis.
func rowOps() []graph.Op {
	var list []graph.Op
	for _, o := range op.All() {
		switch o.Name() {
		case "Softmax", "LogSoftmax", "ArgMax", "ArgSort":
			list = append(list, o)
		}
	}
	return list
}

// rowShapes are rows of every length that changes how they are shared out.
var rowShapes = [][]int{{1}, {4, 1}, {3, 2}, {5, 3}, {2, 3, 4}, {9, 31}, {128, 33}, {100, 64}, {3, 65}, {128, 512}, {4097, 40}, {4100, 300}, {2, 5000}, {3, 5001}, {1, 100000}, {2, 70001}}

func TestRows(t *testing.T) {
	b := open(t, gpu.Apart())
	for i, dims := range rowShapes {
		for _, o := range rowOps() {
			t.Run(fmt.Sprint(o.Name(), dims), func(t *testing.T) { checkOp(t, b, "", 5e-6, o, drawn(uint64(i), -30, 30, dims...)) })
		}
	}
}

// TestArgMaxTies has its largest number more than once.
func TestArgMaxTies(t *testing.T) {
	b := open(t, gpu.Apart())
	for _, o := range rowOps() {
		if o.Name() != "ArgMax" {
			continue
		}
		for _, n := range []int{3, 40, 700, 20000} {
			x := graph.NewTensor(graph.F32(4, n))
			x.Data[n+n/3], x.Data[n+n/2] = 1, 1
			x.Data[2*n+n-1], x.Data[2*n+n-2] = math.NaN(), math.NaN()
			for i := range n {
				x.Data[3*n+i] = math.Inf(-1)
			}
			checkOp(t, b, "", 0, o, x)
		}
	}
}
