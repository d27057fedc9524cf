package op

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"testing"

	"aetrain/graph"
)

// golden.json holds what PyTorch computes in float64; golden.py beside it says how it was made and what its fields mean.

type goldenTensor struct {
	Shape []int
	Data  []float64
}

func (t goldenTensor) tensor() graph.Tensor {
	return graph.Tensor{Spec: graph.F32(t.Shape...), Data: t.Data}
}

type goldenCase struct {
	Case, Op    string
	Attrs       goldenAttrs
	Inputs      []goldenTensor
	Outputs     []goldenTensor
	GradOutputs []goldenTensor `json:"grad_outputs"`
	GradInputs  []goldenTensor `json:"grad_inputs"`
}

type goldenAttrs struct {
	Stride, Padding, Dilation, Scale [2]int
	KernelSize                       [2]int `json:"kernel_size"`
	OutputPadding                    [2]int `json:"output_padding"`
	Groups, Axis                     int
	CountIncludePad                  bool `json:"count_include_pad"`
	Training                         bool
	Mode                             string
	Eps, Momentum, Alpha, LR         float64
	NegativeSlope                    float64 `json:"negative_slope"`
	WeightDecay                      float64 `json:"weight_decay"`
	MaxNorm                          float64 `json:"max_norm"`
	TransposeA                       bool    `json:"transpose_a"`
	TransposeB                       bool    `json:"transpose_b"`
	Betas                            [2]float64
}

// goldenOps build the case's outputs from its inputs.
var goldenOps = map[string]func(c goldenCase, in []graph.Value) []graph.Value{
	"conv2d": func(c goldenCase, in []graph.Value) []graph.Value {
		return biased(Conv2D(in[0], in[1], c.Attrs.conv()), in)
	},
	"conv_transpose2d": func(c goldenCase, in []graph.Value) []graph.Value {
		return biased(ConvTranspose2D(in[0], in[1], c.Attrs.conv()), in)
	},
	"max_pool2d": func(c goldenCase, in []graph.Value) []graph.Value { return one(MaxPool2D(in[0], c.Attrs.pool())) },
	"avg_pool2d": func(c goldenCase, in []graph.Value) []graph.Value { return one(AvgPool2D(in[0], c.Attrs.pool())) },
	"upsample2d": func(c goldenCase, in []graph.Value) []graph.Value {
		return one(Upsample2D(in[0], c.Attrs.Scale[0], c.Attrs.Scale[1], c.Attrs.Mode))
	},
	"batch_norm": goldenBatchNorm,
	"layer_norm": func(c goldenCase, in []graph.Value) []graph.Value {
		return one(LayerNorm(in[0], in[1], in[2], c.Attrs.Eps))
	},
	"gelu":     goldenUnary(GELU),
	"softplus": goldenUnary(Softplus),
	"sigmoid":  goldenUnary(Sigmoid),
	"tanh":     goldenUnary(Tanh),
	"silu":     goldenUnary(SiLU),
	"erf":      goldenUnary(Erf),
	"elu":      func(c goldenCase, in []graph.Value) []graph.Value { return one(ELU(in[0], c.Attrs.Alpha)) },
	"leaky_relu": func(c goldenCase, in []graph.Value) []graph.Value {
		return one(LeakyReLU(in[0], c.Attrs.NegativeSlope))
	},
	"softmax":     goldenAlongAxis(Softmax),
	"log_softmax": goldenAlongAxis(LogSoftmax),
	"matmul": func(c goldenCase, in []graph.Value) []graph.Value {
		return one(MatMul(in[0], in[1], c.Attrs.TransposeA, c.Attrs.TransposeB))
	},
	"bce_with_logits": func(_ goldenCase, in []graph.Value) []graph.Value { return one(BCEWithLogits(in[0], in[1])) },
	"mse":             func(_ goldenCase, in []graph.Value) []graph.Value { return one(SquaredError(in[0], in[1])) },
	"gaussian_kl":     func(_ goldenCase, in []graph.Value) []graph.Value { return one(KLNormal(in[0], in[1])) },
	"adam":            goldenAdam,
	"adamw":           goldenAdam,
	"sgd": func(c goldenCase, in []graph.Value) []graph.Value {
		return goldenSteps(in, 0, func(_ graph.Value, s []graph.Value, g, lr, ok graph.Value) []graph.Value {
			return one(SGDUpdate(s[0], g, SGDScalars{LR: lr, WeightDecay: c.Attrs.WeightDecay}, ok))
		}, c.Attrs.LR)
	},
	"momentum": func(c goldenCase, in []graph.Value) []graph.Value {
		return goldenSteps(in, 1, func(_ graph.Value, s []graph.Value, g, lr, ok graph.Value) []graph.Value {
			h := MomentumScalars{LR: lr, Momentum: c.Attrs.Momentum, WeightDecay: c.Attrs.WeightDecay}
			p, v := MomentumUpdate(s[0], s[1], g, h, ok)
			return []graph.Value{p, v}
		}, c.Attrs.LR)
	},
	"rmsprop":        goldenRMSProp,
	"clip_grad_norm": goldenClip,
}

// goldenElsewhere are the cases of other packages.
var goldenElsewhere = map[string]bool{"cosine_schedule": true, "step_schedule": true, "exponential_schedule": true}

func biased(y graph.Value, in []graph.Value) []graph.Value {
	if len(in) > 2 {
		y = AddBias(y, in[2])
	}
	return one(y)
}

func (a goldenAttrs) conv() ConvConfig {
	return ConvConfig{
		StrideH: a.Stride[0], StrideW: a.Stride[1], DilationH: a.Dilation[0], DilationW: a.Dilation[1], Groups: a.Groups,
		PadTop: a.Padding[0], PadBottom: a.Padding[0], PadLeft: a.Padding[1], PadRight: a.Padding[1],
		OutPadH: a.OutputPadding[0], OutPadW: a.OutputPadding[1],
	}
}

func (a goldenAttrs) pool() PoolConfig {
	return PoolConfig{
		KH: a.KernelSize[0], KW: a.KernelSize[1], StrideH: a.Stride[0], StrideW: a.Stride[1],
		PadH: a.Padding[0], PadW: a.Padding[1], CountIncludePad: a.CountIncludePad,
	}
}

func goldenUnary(f func(x graph.Value) graph.Value) func(goldenCase, []graph.Value) []graph.Value {
	return func(_ goldenCase, in []graph.Value) []graph.Value { return one(f(in[0])) }
}

// goldenAlongAxis moves the axis to the end for f.
func goldenAlongAxis(f func(x graph.Value) graph.Value) func(goldenCase, []graph.Value) []graph.Value {
	return func(c goldenCase, in []graph.Value) []graph.Value {
		if c.Attrs.Axis == 1 {
			return one(Transpose(f(Transpose(in[0], 0, 2, 1)), 0, 2, 1))
		}
		return one(f(in[0]))
	}
}

// PyTorch's running variance is unbiased.
func goldenBatchNorm(c goldenCase, in []graph.Value) []graph.Value {
	x, gamma, beta, mean, variance := in[0], in[1], in[2], in[3], in[4]
	if !c.Attrs.Training {
		return []graph.Value{BatchNormInference(x, gamma, beta, mean, variance, c.Attrs.Eps), mean, variance}
	}
	y, m, v := BatchNorm(x, gamma, beta, c.Attrs.Eps)
	n := float64(x.Shape().Size() / x.Dim(1))
	running := func(old, new graph.Value) graph.Value {
		return Add(Scale(old, 1-c.Attrs.Momentum), Scale(new, c.Attrs.Momentum))
	}
	return []graph.Value{y, running(mean, m), running(variance, Scale(v, n/(n-1)))}
}

// goldenSteps takes a step for each gradient in in[1:], with moments that begin as zeros; state is the parameter and they.
func goldenSteps(in []graph.Value, moments int, step func(t graph.Value, state []graph.Value, g, lr, ok graph.Value) []graph.Value, lr float64) []graph.Value {
	g := in[0].Graph()
	state := []graph.Value{in[0]}
	for range moments {
		state = append(state, filled(in[0], 0))
	}
	var after []graph.Value
	for t, grad := range in[1:] {
		state = step(g.Constant(graph.I32(), float64(t)), state, grad, g.Scalar(lr), g.Scalar(1))
		after = append(after, state[0])
	}
	return after
}

func goldenAdam(c goldenCase, in []graph.Value) []graph.Value {
	return goldenSteps(in, 2, func(t graph.Value, s []graph.Value, g, lr, ok graph.Value) []graph.Value {
		h := AdamScalars{
			LR: lr, Beta1: c.Attrs.Betas[0], Beta2: c.Attrs.Betas[1], Eps: c.Attrs.Eps,
			WeightDecay: c.Attrs.WeightDecay, Decoupled: c.Op == "adamw",
		}
		h.Correction1, h.Correction2 = AdamCorrections(t, h.Beta1, h.Beta2)
		p, m, v := AdamUpdate(s[0], s[1], s[2], g, h, ok)
		return []graph.Value{p, m, v}
	}, c.Attrs.LR)
}

func goldenRMSProp(c goldenCase, in []graph.Value) []graph.Value {
	return goldenSteps(in, 2, func(_ graph.Value, s []graph.Value, g, lr, ok graph.Value) []graph.Value {
		h := RMSPropScalars{LR: lr, Alpha: c.Attrs.Alpha, Eps: c.Attrs.Eps, WeightDecay: c.Attrs.WeightDecay}
		if c.Attrs.Momentum == 0 {
			p, v := RMSPropUpdate(s[0], s[1], g, h, ok)
			return []graph.Value{p, v, s[2]}
		}
		p, v, b := RMSPropMomentumUpdate(s[0], s[1], s[2], g, h, c.Attrs.Momentum, ok)
		return []graph.Value{p, v, b}
	}, c.Attrs.LR)
}

func goldenClip(c goldenCase, in []graph.Value) []graph.Value {
	norm := GlobalNorm(in...)
	factor := Minimum(Div(norm.Graph().Scalar(c.Attrs.MaxNorm), AddConst(norm, c.Attrs.Eps)), norm.Graph().Scalar(1))
	var out []graph.Value
	for _, g := range in {
		out = append(out, Mul(g, factor))
	}
	return append(out, norm)
}

func TestGolden(t *testing.T) {
	text, err := os.ReadFile("testdata/golden.json")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("testdata/golden.json is not there")
	}
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []goldenCase }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	for _, c := range file.Cases {
		if !goldenElsewhere[c.Op] {
			t.Run(c.Op+"/"+c.Case, func(t *testing.T) { golden(t, c) })
		}
	}
}

func golden(t *testing.T, c goldenCase) {
	build := goldenOps[c.Op]
	if build == nil {
		t.Fatalf("no test builds %s", c.Op)
	}
	goldenBuilt(t, c, build)
}

// goldenBuilt compares the values that build makes of a case's inputs, and their gradients.
func goldenBuilt(t *testing.T, c goldenCase, build func(c goldenCase, in []graph.Value) []graph.Value) {
	t.Helper()
	g, feed := graph.New(), map[string]graph.Tensor{}
	input := func(kind string, list []goldenTensor) []graph.Value {
		var vs []graph.Value
		for i, x := range list {
			name := fmt.Sprint(kind, i)
			feed[name] = x.tensor()
			vs = append(vs, g.Input(name, feed[name].Spec))
		}
		return vs
	}
	in := input("in", c.Inputs)
	out := build(c, in)
	goldenEqual(t, "output", feed, out, c.Outputs)
	if len(c.GradOutputs) > 0 {
		seeds := input("seed", c.GradOutputs)
		d := graph.VJP(out[:len(seeds)], seeds, in[:len(c.GradInputs)])
		goldenEqual(t, "gradient of input", feed, d, c.GradInputs)
	}
}

// goldenEqual allows for the 9 digits that the file holds.
func goldenEqual(t *testing.T, what string, feed map[string]graph.Tensor, got []graph.Value, want []goldenTensor) {
	t.Helper()
	values, err := graph.Evaluate(got, feed)
	if err != nil {
		t.Fatal(err)
	}
	if len(values) != len(want) {
		t.Fatalf("%d values, want %d", len(values), len(want))
	}
	for i, w := range want {
		if !values[i].Shape.Equal(w.Shape) {
			t.Errorf("%s %d is %v, want %v", what, i, values[i].Shape, w.Shape)
			continue
		}
		for j, x := range w.Data {
			if y := values[i].Data[j]; !(math.Abs(x-y) <= 1e-8*math.Abs(x)+1e-12) {
				t.Errorf("%s %d, element %d: got %.12g, want %.12g", what, i, j, y, x)
			}
		}
	}
}
