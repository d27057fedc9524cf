//go:build gpu

package gpu_test

import (
	"fmt"
	"testing"

	"aetrain/gpu"
	"aetrain/graph"
	"aetrain/op"
)

// TestBatchNorm checks both candidates of forward and gradient, of matrices, sequences and images.
func TestBatchNorm(t *testing.T) {
	b := open(t, gpu.Apart())
	shapes := [][]int{
		{1, 1}, {2, 3}, {128, 400}, {5, 7}, {70, 1}, {3000, 9}, {9, 4099}, {3, 2, 5}, {1, 3, 3, 3}, {16, 5, 7, 7}, {32, 6, 14, 14}, {40, 3, 28, 28},
		{2, 300, 2, 2}, {1, 2, 4, 4}, {9, 4, 1, 1},
	}
	for i, dims := range shapes {
		c := dims[1]
		x, dy := drawn(uint64(i), -1, 1, dims...), drawn(uint64(i)+100, -1, 1, dims...)
		gamma, beta := drawn(1, 0.5, 2, c), drawn(2, -1, 1, c)
		for _, candidate := range []string{"channels", "split"} {
			t.Run(fmt.Sprint(candidate, dims), func(t *testing.T) {
				checkOp(t, b, candidate, 2e-5, op.BatchNormalization{Eps: 1e-3}, x, gamma, beta)
				checkOp(t, b, candidate, 2e-5, op.BatchNormGrad{Eps: 1e-3}, x, gamma, dy, drawn(3, -1, 1, c), drawn(4, 0.3, 1.5, c))
			})
		}
	}
}

// TestNormsFarFromZero checks that a mean of a thousand standard deviations does not swallow the variance.
func TestNormsFarFromZero(t *testing.T) {
	b := open(t, gpu.Apart())
	for _, dims := range [][]int{{256, 8}, {30, 4, 20, 20}} {
		c := dims[1]
		x, gamma, beta := drawn(1, 999, 1001, dims...), drawn(1, 0.5, 2, c), drawn(2, -1, 1, c)
		for _, candidate := range []string{"channels", "split"} {
			checkOp(t, b, candidate, 3e-4, op.BatchNormalization{Eps: 1e-5}, x, gamma, beta)
		}
	}
	checkOp(t, b, "", 3e-4, op.LayerNormalization{Eps: 1e-5}, drawn(1, 999, 1001, 5, 700), drawn(1, 0.5, 2, 700), drawn(2, -1, 1, 700))
}

func TestLayerNorm(t *testing.T) {
	b := open(t, gpu.Apart())
	for i, dims := range [][]int{{1}, {6}, {1, 7}, {3, 5}, {2, 3, 4}, {128, 400}, {130, 33}, {64, 49, 128}, {4100, 20}, {5000, 130}, {3, 5000}, {2, 70001}} {
		d, lead := dims[len(dims)-1], dims[:len(dims)-1]
		x, dy := drawn(uint64(i), -1, 1, dims...), drawn(uint64(i)+100, -1, 1, dims...)
		gamma, beta := drawn(1, 0.5, 2, d), drawn(2, -1, 1, d)
		t.Run(fmt.Sprint(dims), func(t *testing.T) {
			checkOp(t, b, "", 2e-5, op.LayerNormalization{Eps: 1e-3}, x, gamma, beta)
			checkOp(t, b, "", 2e-5, op.LayerNormGrad{Eps: 1e-3}, x, gamma, dy, drawn(3, -1, 1, lead...), drawn(4, 0.3, 1.5, lead...))
		})
	}
}

// TestNormGradsOfOne asks for one of the gradients at a time.
func TestNormGradsOfOne(t *testing.T) {
	b := open(t, gpu.Apart())
	x, gamma := drawn(1, -1, 1, 300, 40), drawn(2, 0.5, 2, 40)
	for _, o := range []graph.Op{op.BatchNormGrad{Eps: 1e-3}, op.LayerNormGrad{Eps: 1e-3}} {
		n := 40
		if o.Name() == "LayerNormGrad" {
			n = 300
		}
		in := []graph.Tensor{x, gamma, drawn(3, -1, 1, 300, 40), drawn(4, -1, 1, n), drawn(5, 0.3, 1.5, n)}
		all := compute(t, b, "", o, in...)
		for i := range all {
			got := computeOnly(t, b, o, i, in...)
			near(t, fmt.Sprint(o.Name(), " output ", i), got.Data, all[i].Data, 1e-6)
		}
	}
}
