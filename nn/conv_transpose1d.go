package nn

import (
	"errors"
	"fmt"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/op"
)

func init() { Layers.Add("conv_transpose1d", func() Layer { return NewConvTranspose1D(0, 0) }) }

// ConvTranspose1D is the gradient of Conv1D with respect to its input, used to give sequences more times.
//
//	x: N×T×Cin   weight: Cin×(Filters/Groups)×K   bias: Filters   (PyTorch's layouts)
//	y: N×T'×Filters,  T' = (T-1)·Stride - 2·Padding + Dilation·(K-1) + 1 + OutputPadding
//
// OutputPadding must be smaller than Stride or Dilation. Padding "same" and "causal" give T' = T·Stride; with "causal" an output
// sees its own time and what lies before it.
type ConvTranspose1D struct {
	Common
	Bank
	Window1D
	OutputPadding int `toml:"output_padding" min:"0" doc:"times added behind"`
	Affine
}

// NewConvTranspose1D returns a transposed convolution with the defaults; 0 filters leaves them out.
func NewConvTranspose1D(filters, kernel int) *ConvTranspose1D {
	return &ConvTranspose1D{Bank: newBank(filters), Window1D: newWindow1D(kernel), Affine: newAffine()}
}

// Validate refuses output padding that contradicts the rest.
func (l *ConvTranspose1D) Validate() error {
	err := l.Window1D.Validate()
	switch word := l.Padding.Word; {
	case l.OutputPadding == 0:
	case word == "same" || word == causalWord:
		err = errors.Join(err, configs.KeyError("output_padding", "padding = %q decides the size alone: leave one of them out", word))
	case l.OutputPadding >= max(l.Stride, l.Dilation):
		err = errors.Join(err, configs.KeyError("output_padding", "%d must be smaller than the stride %d or the dilation %d", l.OutputPadding, l.Stride, l.Dilation))
	}
	return err
}

// Kind is "conv_transpose1d".
func (*ConvTranspose1D) Kind() string { return "conv_transpose1d" }

// Spread returns one layer each of a list in Filters.
func (l *ConvTranspose1D) Spread() []Layer {
	return spread(l, l.Filters, func(c *ConvTranspose1D, n int) { c.Filters = configs.Ints{n} })
}

// Resized returns the layer with n filters.
func (l *ConvTranspose1D) Resized(n int) Layer {
	c := duplicate(l)
	c.Filters = configs.Ints{n}
	return c
}

func (l *ConvTranspose1D) withPost(p Post) Layer {
	c := duplicate(l)
	c.Post = p
	return c
}

// attributes of the transposed convolution of t times.
func (l *ConvTranspose1D) attributes(t int) op.ConvConfig {
	if l.exact != nil {
		return *l.exact
	}
	w := l.Window1D
	if w.Padding.Word == causalWord {
		w.Padding.Word = "valid"
	}
	c := w.conv(t)
	c.OutPadW = l.OutputPadding
	switch l.Padding.Word {
	case "same":
		c.PadLeft, c.PadRight, c.OutPadW = sameTransposed(w.extent(), c.StrideW)
	case causalWord:
		c.PadLeft, c.PadRight, c.OutPadW = 0, max(0, w.extent()-c.StrideW), max(0, c.StrideW-w.extent())
	}
	return c
}

// Output follows the formula above.
func (l *ConvTranspose1D) Output(in graph.Shape) (graph.Shape, error) {
	if err := l.follows(l.Bank, in); err != nil {
		return nil, err
	}
	_, t := transposedSize(l.attributes(in[0]), 1, l.Kernel, 1, in[0])
	if t < 1 {
		return nil, fmt.Errorf("its padding leaves nothing of %d times", in[0])
	}
	return l.checked(graph.Shape{t, l.Size()}, nil)
}

// Build convolves.
func (l *ConvTranspose1D) Build(s *Scope, x graph.Value) graph.Value {
	if x.Rank() != 3 {
		return x // the graph has an error already
	}
	cout := l.Size() / max(1, l.Groups)
	weight := op.Reshape(l.weight(s, x.Dim(2), cout, l.Kernel), x.Dim(2), cout, 1, l.Kernel)
	y := op.ConvTranspose2D(asPlane(x), weight, l.attributes(x.Dim(1)))
	return l.finish(s, fromPlane(y), l.Size(), cout*l.Kernel) // PyTorch counts the weight's second axis here, too
}

// Mirror is the convolution whose gradient this layer is; that of a causal one is causal, too.
func (l *ConvTranspose1D) Mirror(in graph.Shape) ([]Layer, error) {
	c := l.attributes(in[0])
	if c.OutPadW >= c.StrideW {
		return nil, fmt.Errorf("it has no mirror: output_padding %d is not smaller than the stride %d; write the decoder out", c.OutPadW, c.StrideW)
	}
	c.OutPadH, c.OutPadW = 0, 0
	if l.Padding.Word == causalWord {
		c.PadLeft, c.PadRight = l.extent()-1, 0
	}
	m := NewConv1D(in[1], l.Kernel)
	m.Stride, m.Dilation, m.Groups = l.Stride, l.Dilation, l.Groups
	m.exact = &c
	m.Bias, m.Init = l.Bias, l.Init
	return []Layer{m}, nil
}

// Tied returns the layer with the weight of the convolution at path.
func (l *ConvTranspose1D) Tied(path, init string) Layer {
	c := duplicate(l)
	c.shared = &shared{path: path, init: init}
	return c
}
