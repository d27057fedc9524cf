//go:build gpu

package gpu_test

import (
	"fmt"
	"testing"

	"aetrain/backend"
	"aetrain/gpu"
	"aetrain/graph"
	"aetrain/op"
	"aetrain/program"
)

// flip is the shape with its last two axes in the order that a product wants.
func flip(trans bool, dims ...int) []int {
	if n := len(dims); trans {
		dims[n-1], dims[n-2] = dims[n-2], dims[n-1]
	}
	return dims
}

// TestGEMMTiles multiplies odd and even sizes by every tile, with every transposition and kind of batch.
func TestGEMMTiles(t *testing.T) {
	b := open(t, gpu.Apart(), gpu.Without("nvrtc"))
	for _, tile := range []string{"large", "medium", "small"} {
		t.Run(tile, func(t *testing.T) {
			defer gpu.OnlyTile(tile)()
			for i, c := range []struct{ m, n, k int }{{1, 1, 1}, {130, 139, 37}, {128, 64, 128}, {33, 132, 68}, {5, 7, 300}, {64, 4, 1}} {
				for trans := range 4 {
					transA, transB := trans&1 > 0, trans&2 > 0
					x, y := drawn(uint64(i), -1, 1, flip(transA, c.m, c.k)...), drawn(uint64(i+9), -1, 1, flip(transB, c.k, c.n)...)
					checkOp(t, b, "gemm", 1e-5, op.Product{TransA: transA, TransB: transB}, x, y)
				}
			}
			checkOp(t, b, "gemm", 1e-5, op.Product{}, drawn(1, -1, 1, 3, 5, 6), drawn(2, -1, 1, 3, 6, 7))
			checkOp(t, b, "gemm", 1e-5, op.Product{TransA: true}, drawn(1, -1, 1, 2, 3, 6, 5), drawn(2, -1, 1, 6, 7))
			checkOp(t, b, "gemm", 1e-5, op.Product{TransB: true}, drawn(1, -1, 1, 5, 6), drawn(2, -1, 1, 2, 2, 7, 6))
			checkOp(t, b, "gemm", 1e-5, op.Product{TransB: true}, drawn(1, -1, 1, 4, 5, 6), drawn(2, -1, 1, 7, 6))
		})
	}
}

// TestGEMMParts multiplies few rows and columns with a long inner axis, which is summed in parts.
func TestGEMMParts(t *testing.T) {
	b := open(t, gpu.Apart(), gpu.Without("nvrtc"))
	for _, c := range []struct{ m, n, k int }{{20, 40, 4096}, {7, 9, 5003}, {64, 64, 3000}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			if parts := gpu.Parts(1, c.m, c.n, c.k); parts < 2 {
				t.Errorf("there is %d part; want more", parts)
			}
			checkOp(t, b, "gemm", 2e-5, op.Product{TransA: true}, drawn(1, -1, 1, c.k, c.m), drawn(2, -1, 1, c.k, c.n))
		})
	}
}

// TestMatMulEpilogues adds biases and functions by each candidate, with and without the sum being wanted itself.
func TestMatMulEpilogues(t *testing.T) {
	b := open(t, gpu.Apart(), gpu.Without("nvrtc"))
	functions := map[string]func(graph.Value) graph.Value{
		"none": func(v graph.Value) graph.Value { return v }, "relu": op.ReLU, "sigmoid": op.Sigmoid, "tanh": op.Tanh,
		"softplus": op.Softplus, "square": op.Square,
	}
	for name, f := range functions {
		for _, kernel := range []string{"cublaslt", "gemm"} {
			for _, k := range []int{19, 4096} {
				t.Run(fmt.Sprint(name, "/", kernel, "/", k), func(t *testing.T) { epilogues(t, b, kernel, k, f) })
			}
		}
	}
}

func epilogues(t *testing.T, b backend.Backend, kernel string, k int, f func(graph.Value) graph.Value) {
	const m, n = 9, 14
	feed := map[string]graph.Tensor{
		"x": drawn(1, -0.2, 0.2, m, k), "w": drawn(2, -1, 1, k, n), "bias": drawn(3, -1, 1, n), "z": drawn(4, -1, 1, m, n),
	}
	for variant, make := range map[string]func(y, sum, out, z graph.Value) []graph.Value{
		"alone":   func(_, _, out, _ graph.Value) []graph.Value { return []graph.Value{out} },
		"product": func(y, _, out, _ graph.Value) []graph.Value { return []graph.Value{y, out} },
		"sum":     func(_, sum, out, _ graph.Value) []graph.Value { return []graph.Value{sum, out} },
		"longer":  func(_, _, out, z graph.Value) []graph.Value { return []graph.Value{op.Mul(out, z), op.SumAll(out)} },
	} {
		for _, withBias := range []bool{true, false} {
			g := graph.New()
			in := map[string]graph.Value{}
			for _, name := range []string{"x", "w", "bias", "z"} {
				in[name] = g.Input(name, feed[name].Spec)
			}
			y := op.MatMul(in["x"], in["w"], false, false)
			sum := y
			if withBias {
				sum = op.AddBias(y, in["bias"])
			}
			vs := make(y, sum, f(sum), in["z"])
			want, err := graph.Evaluate(vs, feed)
			if err != nil {
				t.Fatal(err)
			}
			got := runValues(t, b, backend.Options{Seed: 1, Strict: true, Kernels: map[string]string{"matmul": kernel}}, vs, feed)
			for i := range want {
				near(t, fmt.Sprintf("%s, bias %v, output %d", variant, withBias, i), got[i].Data, want[i].Data, 2e-5)
			}
		}
	}
}

// TestPrecisions multiplies and convolves in TF32 and bfloat16: near the float64 result, by what these types round.
func TestPrecisions(t *testing.T) {
	b := open(t, gpu.Apart(), gpu.Without("nvrtc"))
	feed := map[string]graph.Tensor{
		"x": drawn(1, -1, 1, 17, 33), "w": drawn(2, -1, 1, 33, 5), "images": drawn(3, -1, 1, 2, 8, 7, 9), "filters": drawn(4, -1, 1, 16, 8, 3, 3),
	}
	for precision, tolerance := range map[string]float64{"float32": 1e-5, "tf32": 2e-3, "bf16": 2e-2} {
		t.Run(precision, func(t *testing.T) {
			g := graph.New()
			in := map[string]graph.Value{}
			for name, x := range feed {
				in[name] = g.Input(name, x.Spec)
			}
			c := op.ConvConfig{StrideH: 2, StrideW: 2, PadBottom: 1, PadRight: 1}
			y := op.Conv2D(in["images"], in["filters"], c)
			vs := []graph.Value{
				op.MatMul(in["x"], in["w"], false, false), y, op.ConvTranspose2D(y, in["filters"], c), op.Conv2DWeightGrad(in["images"], y, c, 3, 3),
			}
			want, err := graph.Evaluate(vs, feed)
			if err != nil {
				t.Fatal(err)
			}
			outs := map[string]graph.Value{"a": vs[0], "b": vs[1], "c": vs[2], "d": vs[3]}
			target := b.Capabilities().Target
			target.Precision = precision
			p, err := program.Compile(g, outs, target)
			if err != nil {
				t.Fatal(err)
			}
			got := runProgram(t, b, p, feed)
			for i, name := range []string{"a", "b", "c", "d"} {
				near(t, name, got[name].Data, want[i].Data, tolerance)
			}
			explained(t, b, p, nil, "")
			own := ""
			if precision != "float32" {
				own = "float32" // our own kernels have nothing else
			}
			explained(t, b, p, map[string]string{"matmul": "gemm", "conv2d": "implicit-gemm", "conv_transpose2d": "implicit-gemm", "conv2d_weight_grad": "implicit-gemm"}, own)
		})
	}
}

// explained loads p with kernels and wants each of its steps to tell this precision, if it has not the program's.
func explained(t *testing.T, b backend.Backend, p *program.Program, kernels map[string]string, want string) {
	t.Helper()
	exes, err := b.Load(b.NewState(), backend.Options{Kernels: kernels}, p)
	if err != nil {
		t.Fatal(err)
	}
	defer exes[0].Close()
	for _, c := range exes[0].Explain() {
		if c.FLOP > 0 && c.Precision != want {
			t.Errorf("%s by %s in %q, want %q", c.Op, c.Kernel, c.Precision, want)
		}
	}
}
