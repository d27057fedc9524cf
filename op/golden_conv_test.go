package op_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"aetrain/graph"
	"aetrain/op"
)

// torchCase is a case of testdata/golden.json, which testdata/golden.py wrote by PyTorch: see there.
type torchCase struct {
	Case, Op    string
	Attrs       torchAttrs
	Inputs      []torchTensor
	Outputs     []torchTensor
	GradOutputs []torchTensor `json:"grad_outputs"`
	GradInputs  []torchTensor `json:"grad_inputs"`
}

// torchAttrs are the attributes of the image ops, under PyTorch's names; those of two axes are [height, width].
type torchAttrs struct {
	Stride, Padding, Dilation, Scale [2]int
	OutputPadding                    [2]int `json:"output_padding"`
	KernelSize                       [2]int `json:"kernel_size"`
	CountIncludePad                  bool   `json:"count_include_pad"`
	Groups                           int
	Mode                             string
	Eps, Momentum                    float64
	Training                         bool
}

type torchTensor struct {
	Shape []int
	Data  []float64
}

func (x torchTensor) tensor() graph.Tensor {
	return graph.Tensor{Spec: graph.F32(x.Shape...), Data: x.Data}
}

func (a torchAttrs) conv() op.ConvConfig {
	return op.ConvConfig{StrideH: a.Stride[0], StrideW: a.Stride[1], DilationH: a.Dilation[0], DilationW: a.Dilation[1], Groups: a.Groups,
		PadTop: a.Padding[0], PadBottom: a.Padding[0], PadLeft: a.Padding[1], PadRight: a.Padding[1],
		OutPadH: a.OutputPadding[0], OutPadW: a.OutputPadding[1]}
}

func (a torchAttrs) pool() op.PoolConfig {
	return op.PoolConfig{KH: a.KernelSize[0], KW: a.KernelSize[1], StrideH: a.Stride[0], StrideW: a.Stride[1],
		PadH: a.Padding[0], PadW: a.Padding[1], CountIncludePad: a.CountIncludePad}
}

// imageOps build the outputs of a case; batch norm's are y and the new running statistics.
var imageOps = map[string]func(a torchAttrs, in []graph.Value) []graph.Value{
	"conv2d": func(a torchAttrs, in []graph.Value) []graph.Value {
		return biased(op.Conv2D(in[0], in[1], a.conv()), in[2:])
	},
	"conv_transpose2d": func(a torchAttrs, in []graph.Value) []graph.Value {
		return biased(op.ConvTranspose2D(in[0], in[1], a.conv()), in[2:])
	},
	"max_pool2d": func(a torchAttrs, in []graph.Value) []graph.Value { return values(op.MaxPool2D(in[0], a.pool())) },
	"avg_pool2d": func(a torchAttrs, in []graph.Value) []graph.Value { return values(op.AvgPool2D(in[0], a.pool())) },
	"upsample2d": func(a torchAttrs, in []graph.Value) []graph.Value {
		return values(op.Upsample2D(in[0], a.Scale[0], a.Scale[1], a.Mode))
	},
	"layer_norm": func(a torchAttrs, in []graph.Value) []graph.Value {
		return values(op.LayerNorm(in[0], in[1], in[2], a.Eps))
	},
	"batch_norm": torchBatchNorm,
}

// torchBatchNorm keeps running statistics as PyTorch does: of the unbiased variance.
func torchBatchNorm(a torchAttrs, in []graph.Value) []graph.Value {
	x, gamma, beta, mean, variance := in[0], in[1], in[2], in[3], in[4]
	if !a.Training {
		return values(op.BatchNormInference(x, gamma, beta, mean, variance, a.Eps), mean, variance)
	}
	y, m, v := op.BatchNorm(x, gamma, beta, a.Eps)
	n := float64(x.Shape().Size() / x.Dim(1))
	running := func(old, now graph.Value) graph.Value {
		return op.Add(op.Scale(old, 1-a.Momentum), op.Scale(now, a.Momentum))
	}
	return values(y, running(mean, m), running(variance, op.Scale(v, n/(n-1))))
}

func values(vs ...graph.Value) []graph.Value { return vs }

func biased(y graph.Value, bias []graph.Value) []graph.Value {
	if len(bias) > 0 {
		y = op.AddBias(y, bias[0])
	}
	return values(y)
}

// Image ops, their norms and their gradients are PyTorch's. The file has nine digits, hence the tolerance.
func TestImageOpsArePyTorchs(t *testing.T) {
	data, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []json.RawMessage }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, raw := range file.Cases {
		var kind struct{ Op string }
		if err := json.Unmarshal(raw, &kind); err != nil {
			t.Fatal(err)
		}
		build := imageOps[kind.Op]
		if build == nil {
			continue
		}
		var c torchCase
		if err := json.Unmarshal(raw, &c); err != nil {
			t.Fatal(err)
		}
		seen[c.Op]++
		t.Run(c.Op+"/"+c.Case, func(t *testing.T) { c.check(t, build) })
	}
	for name := range imageOps {
		if seen[name] == 0 {
			t.Errorf("testdata/golden.json has no case of %s", name)
		}
	}
}

func (c torchCase) check(t *testing.T, build func(torchAttrs, []graph.Value) []graph.Value) {
	const tolerance = 2e-8
	g, feed := graph.New(), map[string]graph.Tensor{}
	in := make([]graph.Value, len(c.Inputs))
	for i, x := range c.Inputs {
		name := string(rune('a' + i))
		in[i], feed[name] = g.Input(name, graph.F32(x.Shape...)), x.tensor()
	}
	outs := build(c.Attrs, in)
	seeds := make([]graph.Value, len(c.GradOutputs))
	for i, d := range c.GradOutputs {
		seeds[i] = g.Constant(graph.F32(d.Shape...), d.Data...)
	}
	grads := graph.VJP(outs[:len(seeds)], seeds, in[:len(c.GradInputs)])
	got := evaluate(t, feed, append(outs, grads...)...)
	for i, want := range append(c.Outputs, c.GradInputs...) {
		near(t, fmt.Sprintf("result %d (outputs, then gradients)", i), got[i], want.tensor(), tolerance)
	}
}
