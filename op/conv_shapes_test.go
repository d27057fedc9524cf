package op

import (
	"strings"
	"testing"

	"aetrain/graph"
)

func TestConvErrors(t *testing.T) {
	x, w := graph.F32(128, 1, 28, 28), graph.F32(32, 1, 3, 3)
	conv := func(c ConvConfig) graph.Op { return Conv{c.Normalized()} }
	transposed := func(c ConvConfig) graph.Op { return ConvTranspose{c.Normalized()} }
	for _, c := range []struct {
		name string
		op   graph.Op
		in   []graph.Spec
		want string
	}{
		{"large filter", conv(ConvConfig{}), []graph.Spec{graph.F32(1, 1, 3, 3), graph.F32(1, 1, 5, 5)}, "filter 5x5 is larger than the padded input 3x3"},
		{"dilated filter", conv(ConvConfig{DilationH: 3, DilationW: 2, PadTop: 1}), []graph.Spec{graph.F32(1, 1, 5, 5), graph.F32(1, 1, 3, 3)},
			"filter 7x5 (3x3 with dilation 3x2) is larger than the padded input 6x5"},
		{"channels", conv(ConvConfig{}), []graph.Spec{x, graph.F32(32, 3, 4, 4)}, "weight wants 3 input channels, input has 1"},
		{"channels in groups", conv(ConvConfig{Groups: 2}), []graph.Spec{graph.F32(1, 4, 8, 8), graph.F32(6, 3, 3, 3)},
			"weight wants 6 input channels (3 in each of 2 groups), input has 4"},
		{"filters in groups", conv(ConvConfig{Groups: 2}), []graph.Spec{graph.F32(1, 4, 8, 8), graph.F32(5, 2, 3, 3)}, "5 filters do not divide into 2 groups"},
		{"rank", conv(ConvConfig{}), []graph.Spec{graph.F32(128, 784), w}, "input has 2 axes, wants 4"},
		{"type", conv(ConvConfig{}), []graph.Spec{graph.U8(128, 1, 28, 28), w}, "input is uint8, wants float32"},
		{"empty", conv(ConvConfig{}), []graph.Spec{graph.F32(0, 1, 28, 28), w}, "input has an axis of size 0"},
		{"negative stride", conv(ConvConfig{StrideH: -1}), []graph.Spec{x, w}, "stride is -1 and must be at least 1"},
		{"negative padding", conv(ConvConfig{PadLeft: -2}), []graph.Spec{x, w}, "padding is -2 and must be at least 0"},
		{"huge padding", conv(ConvConfig{PadLeft: 1 << 62}), []graph.Spec{x, w}, "padding is 4611686018427387904 and must be at most 16777216"},
		{"huge result", conv(ConvConfig{PadLeft: 1 << 24, PadTop: 1 << 24}), []graph.Spec{x, w}, "the result 128x32x16777242x16777242 would be too large"},
		{"transposed channels", transposed(ConvConfig{}), []graph.Spec{x, graph.F32(3, 1, 3, 3)}, "weight wants 3 input channels, input has 1"},
		{"transposed groups", transposed(ConvConfig{Groups: 2}), []graph.Spec{graph.F32(1, 3, 8, 8), graph.F32(3, 1, 3, 3)}, "3 input channels do not divide into 2 groups"},
		{"output padding", transposed(ConvConfig{StrideH: 2, StrideW: 2, OutPadH: 2}), []graph.Spec{x, graph.F32(1, 1, 3, 3)},
			"output padding 2x0 must be smaller than stride 2x2 or dilation 1x1"},
		{"transposed padding", transposed(ConvConfig{PadTop: 20, PadBottom: 20}), []graph.Spec{x, graph.F32(1, 1, 3, 3)},
			"the padding 20+20 by 0+0 leaves nothing: the output would be -10x30"},
		{"weight gradient", ConvWeightGrad{ConvConfig: ConvConfig{}.Normalized(), KH: 3, KW: 3}, []graph.Spec{x, graph.F32(128, 4, 28, 28)},
			"the convolution of x is 26x26, dy is 28x28"},
		{"pool window", MaxPool{PoolConfig{KH: 3, KW: 3}.Normalized()}, []graph.Spec{graph.F32(1, 1, 2, 5)}, "window 3x3 is larger than the padded input 2x5"},
		{"pool padding", AvgPool{PoolConfig{KH: 2, KW: 2, PadH: 2}.Normalized()}, []graph.Spec{x}, "padding 2x0 must be smaller than the window 2x2"},
		{"upsample mode", Upsample{ScaleH: 2, ScaleW: 2, Mode: "cubic"}, []graph.Spec{x}, `mode "cubic" is neither "nearest" nor "bilinear"`},
		{"batch norm", BatchNormalization{Eps: 1e-5}, []graph.Spec{x, graph.F32(32), graph.F32(1)}, "gamma wants 1 numbers, one for each element of axis 1, and is 32"},
		{"concat", Concatenation{Axis: 1}, []graph.Spec{graph.F32(2, 3), graph.F32(4, 3)}, "2x3 and 4x3 differ in axis 0"},
		{"slice", Part{Axis: 1, From: 2, To: 9}, []graph.Spec{graph.F32(2, 3)}, "2 to 9 is no part of axis 1 of size 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := c.op.Infer(c.in)
			if err == nil {
				t.Fatalf("%#v of %v: got %v, want error %q", c.op, c.in, out, c.want)
			}
			if err.Error() != c.want {
				t.Errorf("got  %s\nwant %s", err, c.want)
			}
		})
	}
}

// The graph adds op, shapes and line to the op's sentence.
func TestConvErrorNamesItsPlace(t *testing.T) {
	g := graph.New()
	defer g.Enter("encoder.0")()
	y := Conv2D(g.Input("x", graph.F32(128, 1, 28, 28)), g.Input("w", graph.F32(32, 3, 4, 4)), ConvConfig{})
	AddBias(MaxPool2D(y, PoolConfig{KH: 2, KW: 2}), g.Input("bias", graph.F32(7))) // later formulas survive
	want := "Conv2D: weight wants 3 input channels, input has 1 (input 128x1x28x28, weight 32x3x4x4) (encoder.0, built at "
	if got := g.Err(); got == nil || !strings.HasPrefix(got.Error(), want) {
		t.Errorf("got  %v\nwant %s...", got, want)
	}
}

func TestConvOutputSizes(t *testing.T) {
	same := ConvConfig{StrideH: 2, StrideW: 2, PadBottom: 1, PadRight: 1}.Normalized()
	if h, w := (Conv{same}).OutputSize(28, 27, 3, 3); h != 14 || w != 13 {
		t.Errorf("convolution: got %dx%d, want 14x13", h, w)
	}
	same.OutPadW = 1
	if h, w := (ConvTranspose{same}).OutputSize(14, 13, 3, 3); h != 28 || w != 27 {
		t.Errorf("transposed: got %dx%d, want 28x27", h, w)
	}
}

// FuzzShapes asks every shape rule of this family for sizes and attributes of any kind: an error or a sane shape, never a panic.
func FuzzShapes(f *testing.F) {
	f.Add(1, 1, 28, 28, 32, 1, 3, 3, 2, 1, 1, 1, 0)
	f.Add(2, 4, 5, 4, 6, 2, 3, 3, 1, 0, 2, 2, 1)
	f.Add(1, 1, 1<<62, 1<<62, 1, 1, 1<<62, 1, 1<<62, 1<<62, 1<<62, 1, 1<<62)
	f.Add(-1, 0, -5, 3, 0, 0, 0, 0, -1, -1, -1, -1, -1)
	f.Fuzz(func(t *testing.T, n, c, h, w, o, i, kh, kw, stride, pad, dilation, groups, axis int) {
		x, weight := graph.F32(n, c, h, w), graph.F32(o, i, kh, kw)
		cfg := ConvConfig{StrideH: stride, StrideW: 1, PadTop: pad, PadRight: pad, DilationH: dilation, DilationW: 1, Groups: groups, OutPadH: axis}
		pool := PoolConfig{KH: kh, KW: kw, StrideH: stride, StrideW: dilation, PadH: pad}
		y, index := graph.F32(n, o, kh, kw), graph.I32(n, i)
		for _, c := range []struct {
			op graph.Op
			in []graph.Spec
		}{
			{Conv{cfg}, []graph.Spec{x, weight}}, {Conv{cfg.Normalized()}, []graph.Spec{x, weight}},
			{ConvTranspose{cfg}, []graph.Spec{x, weight}}, {ConvTranspose{cfg.Normalized()}, []graph.Spec{x, weight}},
			{ConvWeightGrad{cfg, kh, kw}, []graph.Spec{x, y}}, {ConvWeightGrad{cfg.Normalized(), stride, pad}, []graph.Spec{x, y}},
			{MaxPool{pool}, []graph.Spec{x}}, {MaxPoolScatter{h, w}, []graph.Spec{x, graph.I32(n, c, h, w)}}, {MaxPoolGather{}, []graph.Spec{x, graph.I32(n, c, kh, kw)}},
			{AvgPool{pool}, []graph.Spec{x}}, {AvgPoolGrad{pool, kh, kw}, []graph.Spec{x}},
			{Upsample{stride, pad, Bilinear}, []graph.Spec{x}}, {UpsampleGrad{stride, pad, Nearest}, []graph.Spec{x}},
			{BatchNormalization{}, []graph.Spec{x, graph.F32(c), graph.F32(c)}}, {LayerNormalization{}, []graph.Spec{x, graph.F32(w), graph.F32(w)}},
			{BatchNormGrad{}, []graph.Spec{x, graph.F32(c), x, graph.F32(c), graph.F32(c)}},
			{LayerNormGrad{}, []graph.Spec{graph.F32(), graph.F32(w), x, graph.F32(n), graph.F32(n)}},
			{GatherRows{}, []graph.Spec{x, index}}, {ScatterRows{o}, []graph.Spec{index, graph.F32(n, i, o)}},
			{Sorting{}, []graph.Spec{x}}, {OneHotRows{o}, []graph.Spec{index}},
			{Concatenation{axis}, []graph.Spec{x, weight}}, {Part{axis, kh, kw}, []graph.Spec{x}}, {Border{Axis: axis, Before: kh, After: kw}, []graph.Spec{x}},
		} {
			out, err := c.op.Infer(c.in)
			if err != nil && err.Error() == "" {
				t.Errorf("%#v of %v: an empty error", c.op, c.in)
			}
			if err == nil && len(out) == 0 {
				t.Errorf("%#v of %v: neither outputs nor an error", c.op, c.in)
			}
		}
	})
}
