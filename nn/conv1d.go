package nn

import (
	"fmt"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/op"
)

func init() { Layers.Add("conv1d", func() Layer { return NewConv1D(0, 0) }) }

// Conv1D is a convolution over the times of sequences.
//
//	x: N×T×Cin   weight: Filters×(Cin/Groups)×K   bias: Filters   (PyTorch's layouts)
//	y: N×T'×Filters,  T' = ⌊(T + Before + After - Dilation·(K-1) - 1) / Stride⌋ + 1
//
// Padding "same" and "causal" give T' = T/Stride, rounded up; with "causal" an output sees its own time and what lies before it.
// Stacks whose dilation doubles from layer to layer make a temporal convolutional network.
// Source: Bai, Kolter & Koltun 2018, "An Empirical Evaluation of Generic Convolutional and Recurrent Networks for Sequence
// Modeling", section 3.
type Conv1D struct {
	Common
	Bank
	Window1D
	Affine
}

// NewConv1D returns a convolution with the defaults; 0 filters leaves them out.
func NewConv1D(filters, kernel int) *Conv1D {
	return &Conv1D{Bank: newBank(filters), Window1D: newWindow1D(kernel), Affine: newAffine()}
}

// Kind is "conv1d".
func (*Conv1D) Kind() string { return "conv1d" }

// Spread returns one layer each of a list in Filters.
func (l *Conv1D) Spread() []Layer {
	return spread(l, l.Filters, func(c *Conv1D, n int) { c.Filters = configs.Ints{n} })
}

// Resized returns the layer with n filters.
func (l *Conv1D) Resized(n int) Layer {
	c := duplicate(l)
	c.Filters = configs.Ints{n}
	return c
}

func (l *Conv1D) withPost(p Post) Layer {
	c := duplicate(l)
	c.Post = p
	return c
}

// Output follows the formula above.
func (l *Conv1D) Output(in graph.Shape) (graph.Shape, error) {
	if err := l.follows(l.Bank, in); err != nil {
		return nil, err
	}
	_, t, err := convOutput(l.conv(in[0]), 1, l.Kernel, 1, in[0])
	return l.checked(graph.Shape{t, l.Size()}, err)
}

// Build convolves.
func (l *Conv1D) Build(s *Scope, x graph.Value) graph.Value {
	if x.Rank() != 3 {
		return x // the graph has an error already
	}
	cin := x.Dim(2) / max(1, l.Groups)
	weight := op.Reshape(l.weight(s, l.Size(), cin, l.Kernel), l.Size(), cin, 1, l.Kernel)
	y := op.Conv2D(asPlane(x), weight, l.conv(x.Dim(1)))
	return l.finish(s, fromPlane(y), l.Size(), cin*l.Kernel)
}

// Mirror is a transposed convolution with the same filter that restores the times exactly; that of a causal one is causal, too.
func (l *Conv1D) Mirror(in graph.Shape) ([]Layer, error) {
	c := l.conv(in[0])
	_, t, err := convOutput(c, 1, l.Kernel, 1, in[0])
	if err != nil {
		return nil, err
	}
	if l.Padding.Word == causalWord {
		c.PadLeft, c.PadRight = 0, l.extent()-1
	}
	_, back := transposedSize(c, 1, l.Kernel, 1, t)
	if missing := in[0] - back; missing >= 0 {
		c.OutPadW = missing // what the stride dropped: less than it
	} else {
		c.PadRight -= missing
	}
	m := NewConvTranspose1D(in[1], l.Kernel)
	m.Stride, m.Dilation, m.Groups = l.Stride, l.Dilation, l.Groups
	m.exact = &c
	m.Bias, m.Init = l.Bias, l.Init
	return []Layer{m}, nil
}

// Tied returns the layer with the weight of the transposed convolution at path.
func (l *Conv1D) Tied(path, init string) Layer {
	c := duplicate(l)
	c.shared = &shared{path: path, init: init}
	return c
}

// Causal returns the layer with padding = "causal".
func (l *Conv1D) Causal() (Layer, error) {
	if l.Stride != 1 {
		return nil, fmt.Errorf("stride = %d leaves times out: leave it at 1", l.Stride)
	}
	c := duplicate(l)
	c.Padding = configs.IntsOrWord{Word: causalWord}
	return c, nil
}
