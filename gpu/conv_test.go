//go:build gpu

package gpu_test

import (
	"context"
	"fmt"
	"testing"

	"aetrain/backend"
	"aetrain/backend/backendtest"
	"aetrain/gpu"
	"aetrain/graph"
	"aetrain/op"
	"aetrain/program"
)

// runProgram runs p once and returns its outputs.
func runProgram(t *testing.T, b backend.Backend, p *program.Program, feed map[string]graph.Tensor) map[string]graph.Tensor {
	t.Helper()
	exes, err := b.Load(b.NewState(), backend.Options{Seed: 1}, p)
	if err != nil {
		t.Fatal(err)
	}
	defer exes[0].Close()
	for _, in := range p.Inputs {
		if err := exes[0].Feed(in.Name, backendtest.Host(feed[in.Name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := exes[0].Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	got := map[string]graph.Tensor{}
	for _, o := range p.Outputs {
		got[o.Name] = fetchTensor(t, exes[0], o.Name, o.Spec)
	}
	return got
}

// convShape is a case by the large side and the weight.
type convShape struct {
	x, w []int
	c    op.ConvConfig
}

func padded(top, bottom, left, right int) op.ConvConfig {
	return op.ConvConfig{PadTop: top, PadBottom: bottom, PadLeft: left, PadRight: right}
}

func strided(c op.ConvConfig, h, w int) op.ConvConfig {
	c.StrideH, c.StrideW = h, w
	return c
}

// convShapes have odd sizes, every attribute, more channels than a tile has rows, and one image.
var convShapes = []convShape{
	{[]int{1, 1, 1, 1}, []int{1, 1, 1, 1}, op.ConvConfig{}},
	{[]int{2, 3, 9, 7}, []int{40, 3, 3, 3}, padded(1, 1, 1, 1)},
	{[]int{1, 37, 6, 5}, []int{70, 37, 3, 3}, padded(1, 1, 1, 1)},
	{[]int{3, 8, 8, 8}, []int{33, 8, 3, 3}, strided(padded(0, 1, 0, 1), 2, 2)},
	{[]int{2, 6, 11, 10}, []int{9, 2, 4, 2}, op.ConvConfig{StrideH: 3, StrideW: 2, PadTop: 2, PadRight: 1, Groups: 3, DilationH: 2}},
	{[]int{1, 16, 12, 13}, []int{4, 16, 5, 5}, padded(2, 2, 2, 2)},
	{[]int{2, 20, 7, 9}, []int{1, 20, 3, 3}, padded(1, 1, 1, 1)},
	{[]int{2, 24, 9, 5}, []int{3, 24, 4, 4}, padded(1, 2, 2, 1)},
	{[]int{2, 5, 9, 5}, []int{5, 1, 3, 3}, op.ConvConfig{Groups: 5, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}},
	{[]int{1, 140, 3, 3}, []int{6, 140, 3, 3}, padded(1, 1, 1, 1)},
	{[]int{5, 4, 14, 14}, []int{130, 4, 2, 2}, strided(op.ConvConfig{}, 2, 2)},
}

// three are the convolution of a case, the transposed one the other way, and the weight's gradient.
func (s convShape) three() (conv, transposed, weight graph.Op, x, w, y graph.Tensor) {
	c := s.c.Normalized()
	h, wd := op.Conv{ConvConfig: c}.OutputSize(s.x[2], s.x[3], s.w[2], s.w[3])
	up := c
	uh, uw := op.ConvTranspose{ConvConfig: c}.OutputSize(h, wd, s.w[2], s.w[3])
	up.OutPadH, up.OutPadW = s.x[2]-uh, s.x[3]-uw
	return op.Conv{ConvConfig: c}, op.ConvTranspose{ConvConfig: up}, op.ConvWeightGrad{ConvConfig: c, KH: s.w[2], KW: s.w[3]},
		drawn(1, -1, 1, s.x...), drawn(2, -1, 1, s.w...), drawn(3, -1, 1, s.x[0], s.w[0], h, wd)
}

// TestConvolutions runs every candidate with every tile.
func TestConvolutions(t *testing.T) {
	b := open(t, gpu.Apart(), gpu.Without("nvrtc"))
	check := func(t *testing.T, kernel string) {
		for _, s := range convShapes {
			conv, transposed, weight, x, w, y := s.three()
			t.Run(fmt.Sprint(s.x, s.w), func(t *testing.T) {
				checkOp(t, b, kernel, 2e-5, conv, x, w)
				checkOp(t, b, kernel, 2e-5, transposed, y, w)
				checkOp(t, b, kernel, 2e-5, weight, x, y)
			})
		}
	}
	for _, kernel := range []string{"cudnn", "direct"} {
		t.Run(kernel, func(t *testing.T) { check(t, kernel) })
	}
	for _, tile := range []string{"large", "medium", "small"} {
		t.Run("implicit-gemm/"+tile, func(t *testing.T) {
			defer gpu.OnlyTile(tile)()
			check(t, "implicit-gemm")
		})
	}
	t.Run("implicit-gemm/wide", func(t *testing.T) {
		defer gpu.OnlyTile("wide")()
		for _, s := range convShapes {
			conv, transposed, _, x, w, y := s.three()
			checkOp(t, b, "implicit-gemm", 2e-5, conv, x, w)
			checkOp(t, b, "implicit-gemm", 2e-5, transposed, y, w)
		}
	})
}

// TestConvStrips has few filters and many channels: columns of one to five taps, one strip and a part of one.
func TestConvStrips(t *testing.T) {
	b := open(t, gpu.Apart(), gpu.Without("nvrtc"))
	for k := 1; k <= 6; k++ {
		for _, filters := range []int{1, 3} {
			for _, stride := range []int{1, 2, 3} {
				t.Run(fmt.Sprint(k, filters, stride), func(t *testing.T) {
					x, w := drawn(1, -1, 1, 2, 70, 7, 5), drawn(2, -1, 1, filters, 70, k, 3)
					checkOp(t, b, "direct", 2e-5, op.Conv{ConvConfig: strided(padded(k/2, k-k/2, 1, 0), 1, stride).Normalized()}, x, w)
					c := strided(op.ConvConfig{PadTop: k / 2, PadLeft: 1}, stride, stride)
					checkOp(t, b, "direct", 2e-5, op.ConvTranspose{ConvConfig: c.Normalized()}, x, drawn(3, -1, 1, 70, filters, k, 3))
				})
			}
		}
	}
}

// TestConvParts has few pixels and many channels, and few weights and many pixels: both are summed in parts.
func TestConvParts(t *testing.T) {
	b := open(t, gpu.Apart(), gpu.Without("nvrtc"))
	x, w := drawn(1, -1, 1, 1, 300, 4, 4), drawn(2, -1, 1, 40, 300, 3, 3)
	checkOp(t, b, "implicit-gemm", 2e-5, op.Conv{ConvConfig: padded(1, 1, 1, 1).Normalized()}, x, w)
	big, dy := drawn(1, -1, 1, 9, 2, 28, 28), drawn(2, -1, 1, 9, 6, 28, 28)
	g := op.ConvWeightGrad{ConvConfig: padded(1, 1, 1, 1).Normalized(), KH: 3, KW: 3}
	for _, kernel := range []string{"direct", "implicit-gemm"} {
		checkOp(t, b, kernel, 2e-5, g, big, dy)
	}
}

// TestConvEpilogues adds a bias by channel and a function by each candidate.
func TestConvEpilogues(t *testing.T) {
	b := open(t, gpu.Apart(), gpu.Without("nvrtc"))
	feed := map[string]graph.Tensor{
		"x": drawn(1, -1, 1, 2, 6, 5, 7), "w": drawn(2, -1, 1, 4, 6, 3, 3), "bias": drawn(3, -1, 1, 4), "long": drawn(4, -0.1, 0.1, 1, 300, 4, 4),
		"deep": drawn(5, -1, 1, 4, 300, 3, 3),
	}
	for _, kernel := range []string{"cudnn", "implicit-gemm", "direct"} {
		t.Run(kernel, func(t *testing.T) {
			g := graph.New()
			in := map[string]graph.Value{}
			for name, x := range feed {
				in[name] = g.Input(name, x.Spec)
			}
			vs := []graph.Value{
				op.ReLU(op.AddBias(op.Conv2D(in["x"], in["w"], op.ConvConfig{}), in["bias"])),
				op.Sigmoid(op.AddBias(op.Conv2D(in["long"], in["deep"], padded(1, 1, 1, 1)), in["bias"])),
				op.Tanh(op.Conv2D(in["x"], in["w"], op.ConvConfig{})),
				op.Square(op.AddBias(op.Conv2D(in["x"], in["w"], padded(1, 1, 1, 1)), in["bias"])),
			}
			want, err := graph.Evaluate(vs, feed)
			if err != nil {
				t.Fatal(err)
			}
			got := runValues(t, b, backend.Options{Seed: 1, Strict: true, Kernels: map[string]string{"conv2d": kernel}}, vs, feed)
			for i := range want {
				near(t, fmt.Sprint("output ", i), got[i].Data, want[i].Data, 2e-5)
			}
		})
	}
}

// TestAutotuneConv measures all candidates of products and convolutions with biases, and still computes the same.
func TestAutotuneConv(t *testing.T) {
	b := open(t, gpu.Apart(), gpu.Without("nvrtc"))
	feed := map[string]graph.Tensor{
		"x": drawn(1, -1, 1, 2, 6, 5, 7), "w": drawn(2, -1, 1, 4, 6, 3, 3), "bias": drawn(3, -1, 1, 4), "m": drawn(4, -1, 1, 4, 9), "b": drawn(5, -1, 1, 9),
	}
	g := graph.New()
	in := map[string]graph.Value{}
	for name, x := range feed {
		in[name] = g.Input(name, x.Spec)
	}
	y := op.ReLU(op.AddBias(op.Conv2D(in["x"], in["w"], padded(1, 1, 1, 1)), in["bias"]))
	h := op.Tanh(op.AddBias(op.MatMul(op.Reshape(y, 2*5*7, 4), in["m"], false, false), in["b"]))
	grads := graph.Grad(op.SumAll(op.Square(h)), in["w"], in["m"], in["b"], in["bias"])
	vs := append(grads, h)
	want, err := graph.Evaluate(vs, feed)
	if err != nil {
		t.Fatal(err)
	}
	got := runValues(t, b, backend.Options{Seed: 1, Strict: true, Autotune: true}, vs, feed)
	for i := range want {
		near(t, fmt.Sprint("output ", i), got[i].Data, want[i].Data, 2e-5)
	}
}
