package nn

import (
	"errors"
	"fmt"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/op"
)

func init() { Layers.Add("conv_transpose2d", func() Layer { return NewConvTranspose2D(0, 0) }) }

// ConvTranspose2D is the gradient of Conv2D with respect to its input, used as an upsampling layer.
//
//	x: N×Cin×H×W   weight: Cin×(Filters/Groups)×KH×KW   bias: Filters
//	y: N×Filters×H'×W',  H' = (H-1)·Stride - 2·Padding + Dilation·(KH-1) + 1 + OutputPadding, W' alike
//
// OutputPadding must be smaller than Stride or Dilation. Padding "same" gives H' = H·Stride, as Keras has it, and so does
// OutputPadding "same" with the padding that is written.
// Source: Dumoulin & Visin 2016, "A guide to convolution arithmetic for deep learning", chapter 4.
type ConvTranspose2D struct {
	Common
	Bank
	Window
	OutputPadding configs.IntsOrWord `toml:"output_padding" min:"0" choices:"same" doc:"rows and columns added behind: n, [height, width], or \"same\": as many as give size times stride"`
	Affine
}

// NewConvTranspose2D returns a transposed convolution with the defaults; 0 filters leaves them out.
func NewConvTranspose2D(filters, kernel int) *ConvTranspose2D {
	return &ConvTranspose2D{Bank: newBank(filters), Window: newWindow(kernel), OutputPadding: configs.IntsOrWord{Ints: configs.Ints{0}}, Affine: newAffine()}
}

// Validate refuses output padding that contradicts the rest.
func (l *ConvTranspose2D) Validate() error {
	err := l.Window.Validate()
	if len(l.OutputPadding.Ints) > 2 {
		return errors.Join(err, configs.KeyError("output_padding", "%d numbers; want one, or [height, width]", len(l.OutputPadding.Ints)))
	}
	if err != nil || l.Padding.Word == "same" && l.OutputPadding.Word == "same" { // which mean the same
		return err
	}
	oh, ow := l.outputPadding(l.conv(1, 1))
	sh, sw := pair(l.Stride, 1)
	dh, dw := pair(l.Dilation, 1)
	switch {
	case oh == 0 && ow == 0:
	case l.Padding.Word == "same":
		return configs.KeyError("output_padding", "padding = \"same\" decides the size alone: leave one of them out")
	case oh < 0 || ow < 0:
		return configs.KeyError("output_padding", "\"same\" would take away %dx%d: make the padding larger, or \"same\"", max(0, -oh), max(0, -ow))
	case oh >= max(sh, dh) || ow >= max(sw, dw):
		return configs.KeyError("output_padding", "%dx%d must be smaller than the stride %dx%d or the dilation %dx%d", oh, ow, sh, sw, dh, dw)
	}
	return nil
}

// outputPadding is how much is added behind, c being all but that.
func (l *ConvTranspose2D) outputPadding(c op.ConvConfig) (h, w int) {
	if l.OutputPadding.Word != "same" {
		return pair(l.OutputPadding.Ints, 0)
	}
	eh, ew := c.Extent(l.kernel())
	return c.StrideH - eh + c.PadTop + c.PadBottom, c.StrideW - ew + c.PadLeft + c.PadRight
}

// Kind is "conv_transpose2d".
func (*ConvTranspose2D) Kind() string { return "conv_transpose2d" }

// Spread returns one layer each of a list in Filters.
func (l *ConvTranspose2D) Spread() []Layer {
	return spread(l, l.Filters, func(c *ConvTranspose2D, n int) { c.Filters = configs.Ints{n} })
}

// Resized returns the layer with n filters.
func (l *ConvTranspose2D) Resized(n int) Layer {
	c := duplicate(l)
	c.Filters = configs.Ints{n}
	return c
}

func (l *ConvTranspose2D) withPost(p Post) Layer {
	c := duplicate(l)
	c.Post = p
	return c
}

// attributes of the transposed convolution of an image h×w.
func (l *ConvTranspose2D) attributes(h, w int) op.ConvConfig {
	if l.exact != nil {
		return *l.exact
	}
	c := l.conv(h, w)
	c.OutPadH, c.OutPadW = l.outputPadding(c)
	if l.Padding.Word == "same" {
		kh, kw := l.kernel()
		eh, ew := c.Extent(kh, kw)
		c.PadTop, c.PadBottom, c.OutPadH = sameTransposed(eh, c.StrideH)
		c.PadLeft, c.PadRight, c.OutPadW = sameTransposed(ew, c.StrideW)
	}
	return c
}

// sameTransposed makes the output stride times as large: it is the gradient of a "same" convolution from that size.
func sameTransposed(extent, stride int) (before, after, outPad int) {
	if extent < stride {
		return 0, 0, stride - extent
	}
	total := extent - stride
	return total / 2, total - total/2, 0
}

// Output follows the formula above.
func (l *ConvTranspose2D) Output(in graph.Shape) (graph.Shape, error) {
	if err := l.takes(in, l.Groups); err != nil {
		return nil, err
	}
	kh, kw := l.kernel()
	h, w, err := transposedOutput(l.attributes(in[1], in[2]), kh, kw, in[1], in[2])
	return l.checked(graph.Shape{l.Size(), h, w}, err)
}

// Build convolves.
func (l *ConvTranspose2D) Build(s *Scope, x graph.Value) graph.Value {
	kh, kw := l.kernel()
	cout := l.Size() / max(1, l.Groups)
	y := op.ConvTranspose2D(x, l.weight(s, x.Dim(1), cout, kh, kw), l.attributes(x.Dim(2), x.Dim(3)))
	return l.finish(s, y, l.Size(), cout*kh*kw) // PyTorch counts the weight's second axis here, too
}

// Mirror is the convolution whose gradient this layer is.
func (l *ConvTranspose2D) Mirror(in graph.Shape) ([]Layer, error) {
	c := l.attributes(in[1], in[2])
	if c.OutPadH >= c.StrideH || c.OutPadW >= c.StrideW {
		return nil, fmt.Errorf("it has no mirror: output_padding %dx%d is not smaller than the stride %dx%d; write the decoder out",
			c.OutPadH, c.OutPadW, c.StrideH, c.StrideW)
	}
	c.OutPadH, c.OutPadW = 0, 0
	m := NewConv2D(in[0], 0)
	m.Kernel, m.Stride, m.Dilation, m.Groups = l.Kernel, l.Stride, l.Dilation, l.Groups
	m.exact = &c
	m.Bias, m.Init = l.Bias, l.Init
	return []Layer{m}, nil
}

// Tied returns the layer with the weight of the convolution at path.
func (l *ConvTranspose2D) Tied(path, init string) Layer {
	c := duplicate(l)
	c.shared = &shared{path: path, init: init}
	return c
}
