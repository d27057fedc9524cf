package nn

import (
	"aetrain/configs"
	"aetrain/graph"
	"aetrain/op"
)

func init() { Layers.Add("conv2d", func() Layer { return NewConv2D(0, 0) }) }

// Conv2D is a two-dimensional convolution (cross-correlation, as everywhere in the field).
//
//	x: N×Cin×H×W   weight: Filters×(Cin/Groups)×KH×KW   bias: Filters
//	y: N×Filters×H'×W',  H' = ⌊(H + PadTop + PadBottom - Dilation·(KH-1) - 1) / Stride⌋ + 1, W' alike
//
// Padding "same" gives H' = H/Stride, rounded up; an odd row of zeros goes behind, as Keras has it (PyTorch pads evenly).
// Source: Dumoulin & Visin 2016, "A guide to convolution arithmetic for deep learning", chapter 2.
type Conv2D struct {
	Common
	Bank
	Window
	Affine
}

// NewConv2D returns a convolution with the defaults; 0 filters leaves them out.
func NewConv2D(filters, kernel int) *Conv2D {
	return &Conv2D{Bank: newBank(filters), Window: newWindow(kernel), Affine: newAffine()}
}

// Kind is "conv2d".
func (*Conv2D) Kind() string { return "conv2d" }

// Spread returns one layer each of a list in Filters.
func (l *Conv2D) Spread() []Layer {
	return spread(l, l.Filters, func(c *Conv2D, n int) { c.Filters = configs.Ints{n} })
}

// Resized returns the layer with n filters.
func (l *Conv2D) Resized(n int) Layer {
	c := duplicate(l)
	c.Filters = configs.Ints{n}
	return c
}

func (l *Conv2D) withPost(p Post) Layer {
	c := duplicate(l)
	c.Post = p
	return c
}

// Output follows the formula above.
func (l *Conv2D) Output(in graph.Shape) (graph.Shape, error) {
	if err := l.takes(in, l.Groups); err != nil {
		return nil, err
	}
	kh, kw := l.kernel()
	h, w, err := convOutput(l.conv(in[1], in[2]), kh, kw, in[1], in[2])
	return l.checked(graph.Shape{l.Size(), h, w}, err)
}

// Build convolves.
func (l *Conv2D) Build(s *Scope, x graph.Value) graph.Value {
	kh, kw := l.kernel()
	cin := x.Dim(1) / max(1, l.Groups)
	y := op.Conv2D(x, l.weight(s, l.Size(), cin, kh, kw), l.conv(x.Dim(2), x.Dim(3)))
	return l.finish(s, y, l.Size(), cin*kh*kw)
}

// Mirror is a transposed convolution with the same filter, whose output padding restores rows that the stride dropped.
func (l *Conv2D) Mirror(in graph.Shape) ([]Layer, error) {
	c := l.conv(in[1], in[2])
	kh, kw := l.kernel()
	oh, ow, err := convOutput(c, kh, kw, in[1], in[2])
	if err != nil {
		return nil, err
	}
	h, w := transposedSize(c, kh, kw, oh, ow)
	c.OutPadH, c.OutPadW = in[1]-h, in[2]-w // what the stride dropped: less than it
	m := NewConvTranspose2D(in[0], 0)
	m.Kernel, m.Stride, m.Dilation, m.Groups = l.Kernel, l.Stride, l.Dilation, l.Groups
	m.exact = &c
	m.Bias, m.Init = l.Bias, l.Init
	return []Layer{m}, nil
}

// Tied returns the layer with the weight of the transposed convolution at path.
func (l *Conv2D) Tied(path, init string) Layer {
	c := duplicate(l)
	c.shared = &shared{path: path, init: init}
	return c
}
