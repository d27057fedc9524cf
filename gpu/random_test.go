//go:build gpu

package gpu_test

import (
	"fmt"
	"math"
	"testing"

	"aetrain/backend"
	"aetrain/gpu"
	"aetrain/graph"
	"aetrain/internal/philox"
	"aetrain/op"
)

// rngCase is a place among all random numbers.
type rngCase struct {
	seed   uint64
	step   int32
	row0   int32
	stream uint32
}

func (r rngCase) tensors() []graph.Tensor {
	return []graph.Tensor{
		words([]float64{float64(int32(uint32(r.seed))), float64(int32(uint32(r.seed >> 32)))}, 2),
		words([]float64{float64(r.step)}), words([]float64{float64(r.row0)}),
	}
}

var rngCases = []rngCase{
	{1, 0, 0, 0x9e3779b9}, {0xfedcba9876543210, 12345, 128, 7}, {1 << 63, -3, -2, 0xffffffff},
}

// drawShapes are shapes whose rows are and are not multiples of four elements, of one row and of many.
var drawShapes = [][]int{{}, {1}, {5}, {3, 1}, {3, 4}, {2, 5}, {7, 2, 3}, {128, 20}, {33, 784}, {2, 5000}, {1, 100003}}

// TestRandomBits compares draws with internal/philox bit by bit.
func TestRandomBits(t *testing.T) {
	b := open(t, gpu.Apart())
	for i, dims := range drawShapes {
		r := rngCases[i%len(rngCases)]
		rows, n := 1, 1
		if len(dims) > 0 {
			rows, n = dims[0], graph.Shape(dims[1:]).Size()
		}
		ops := map[string]graph.Op{
			"uniform":   op.UniformOp{Stream: r.stream, Dims: dims},
			"normal":    op.NormalOp{Stream: r.stream, Dims: dims},
			"bernoulli": op.BernoulliOp{Stream: r.stream, P: 0.3, Dims: dims},
		}
		for name, o := range ops {
			t.Run(fmt.Sprint(name, dims), func(t *testing.T) {
				got := compute(t, b, "", o, r.tensors()...)[0]
				row := make([]float32, n)
				for k := range rows {
					fill := philox.Uniforms
					if name == "normal" {
						fill = philox.NormalsRow
					}
					fill(row, r.seed, 0, uint32(r.row0)+uint32(k), uint32(r.step), r.stream)
					for j, want := range row {
						if name == "bernoulli" {
							want = map[bool]float32{true: 1}[want < float32(0.3)]
						}
						if g := float32(got.Data[k*n+j]); math.Float32bits(g) != math.Float32bits(want) {
							t.Fatalf("row %d element %d is %v (%08x), want %v (%08x)", k, j, g, math.Float32bits(g), want, math.Float32bits(want))
						}
					}
				}
			})
		}
		t.Run(fmt.Sprint("bernoulli p", dims), func(t *testing.T) {
			p := graph.Tensor{Spec: graph.F32(), Data: []float64{0.25}}
			checkOp(t, b, "", 0, op.BernoulliPOp{Stream: r.stream, Dims: dims}, append([]graph.Tensor{p}, r.tensors()...)...)
		})
	}
}

// TestGaussianSample checks both candidates.
func TestGaussianSample(t *testing.T) {
	b := open(t, gpu.Apart())
	for i, dims := range drawShapes {
		r := rngCases[i%len(rngCases)]
		in := append([]graph.Tensor{drawn(1, -2, 2, dims...), drawn(2, -3, 2, dims...)}, r.tensors()...)
		for _, candidate := range []string{"rows", "split"} {
			t.Run(fmt.Sprint(candidate, dims), func(t *testing.T) {
				checkOp(t, b, candidate, 2e-6, op.GaussianSampleOp{Stream: r.stream}, in...)
			})
		}
	}
}

// TestGaussianSampleWithKL checks that a sample and the divergence of its distribution, which run as one kernel, are bit by bit
// what they are apart, wherever the divergence is read.
func TestGaussianSampleWithKL(t *testing.T) {
	b := open(t, gpu.Apart())
	for _, dims := range [][]int{{1, 1}, {3, 7}, {128, 20}, {5, 100}, {2, 5003}, {600, 3}} {
		t.Run(fmt.Sprint(dims), func(t *testing.T) {
			r := rngCases[1]
			feed := map[string]graph.Tensor{"mu": drawn(3, -2, 2, dims...), "logVar": drawn(4, -3, 2, dims...)}
			for i, x := range r.tensors() {
				feed[[]string{"seed", "step", "row0"}[i]] = x
			}
			build := func(sample, kl bool) []graph.Tensor {
				g := graph.New()
				mu, logVar := g.Input("mu", feed["mu"].Spec), g.Input("logVar", feed["logVar"].Spec)
				rng := op.RNG{Seed: g.Input("seed", graph.I32(2)), Step: g.Input("step", graph.I32()), Row0: g.Input("row0", graph.I32())}
				var vs []graph.Value
				if sample {
					vs = append(vs, op.GaussianSample(rng, "z", mu, logVar))
				}
				if kl {
					vs = append(vs, op.KLNormal(mu, logVar))
				}
				return runValues(t, b, backend.Options{Seed: 1, Strict: true}, vs, feed)
			}
			both := build(true, true)
			near(t, "z", both[0].Data, build(true, false)[0].Data, 0)
			near(t, "kl", both[1].Data, build(false, true)[0].Data, 0)
		})
	}
}
