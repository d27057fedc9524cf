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

// TestArgSort sorts rows of every way to share them out, with ties, both zeros, NaN and infinities, of each type.
func TestArgSort(t *testing.T) {
	b := open(t, gpu.Apart())
	for i, dims := range [][]int{{1}, {3, 1}, {5, 2}, {7, 3}, {2, 3, 4}, {100, 17}, {3, 784}, {2, 2048}, {2, 4096}, {3, 4097}, {2, 8192}, {1, 8193}, {2, 10000}, {1, 100003}} {
		x := drawn(uint64(i), -3, 3, dims...)
		t.Run(fmt.Sprint("distinct", dims), func(t *testing.T) { checkOp(t, b, "", 0, op.Sorting{}, x) })
		ties, bytes := graph.NewTensor(x.Spec), graph.NewTensor(graph.Spec{Shape: dims, DType: graph.Uint8})
		integers := graph.NewTensor(graph.I32(dims...))
		special := []float64{0, math.Copysign(0, -1), 1, -1, math.NaN(), math.Inf(1), math.Inf(-1), 1e-42, -1e-42}
		for k, v := range x.Data {
			at := int(math.Abs(v)*1e4) % len(special)
			ties.Data[k] = float64(float32(special[at]))
			bytes.Data[k] = float64(at * 31)
			integers.Data[k] = math.Floor(v * 7e8)
		}
		for name, in := range map[string]graph.Tensor{"ties": ties, "bytes": bytes, "integers": integers} {
			t.Run(fmt.Sprint(name, dims), func(t *testing.T) { checkOp(t, b, "", 0, op.Sorting{}, in) })
		}
	}
}
