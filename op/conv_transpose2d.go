package op

import (
	"fmt"

	"aetrain/graph"
)

func init() { add(ConvTranspose{}) }

// ConvTranspose2D is the gradient of Conv2D with respect to its input, used as an upsampling layer.
//
//	x: N×Cin×H×W   weight: Cin×(Cout/Groups)×KH×KW
//	y: N×Cout×H'×W',  H' = (H-1)·StrideH - PadTop - PadBottom + DilationH·(KH-1) + 1 + OutPadH, W' alike
//
// OutPad must be smaller than stride or dilation; Infer reports it otherwise, naming both. A bias is added by [AddBias].
// Source: Dumoulin & Visin 2016, "A guide to convolution arithmetic for deep learning", chapter 4.
func ConvTranspose2D(x, weight graph.Value, c ConvConfig) graph.Value {
	return apply(ConvTranspose{c.Normalized()}, x, weight)
}

// ConvTranspose is the op of [ConvTranspose2D]; its ConvConfig is normalized.
type ConvTranspose struct{ ConvConfig }

// Name returns "ConvTranspose2D".
func (ConvTranspose) Name() string { return "ConvTranspose2D" }

// Arguments returns the names of the inputs.
func (ConvTranspose) Arguments() []string { return []string{"input", "weight"} }

// OutputSize is H'×W' for an input of h×w and a filter of kh×kw.
func (c ConvTranspose) OutputSize(h, w, kh, kw int) (oh, ow int) { return c.up(h, w, kh, kw) }

// Infer is the shape rule in the doc comment of [ConvTranspose2D].
func (c ConvTranspose) Infer(in []graph.Spec) ([]graph.Spec, error) {
	x, w := in[0].Shape, in[1].Shape
	if err := c.wants(in[0], in[1]); err != nil {
		return nil, err
	}
	if x[1] != w[0] {
		return nil, fmt.Errorf("weight wants %d input channels, input has %d", w[0], x[1])
	}
	if w[0]%c.Groups != 0 {
		return nil, fmt.Errorf("%d input channels do not divide into %d groups", w[0], c.Groups)
	}
	if c.OutPadH >= max(c.StrideH, c.DilationH) || c.OutPadW >= max(c.StrideW, c.DilationW) {
		return nil, fmt.Errorf("output padding %dx%d must be smaller than stride %dx%d or dilation %dx%d",
			c.OutPadH, c.OutPadW, c.StrideH, c.StrideW, c.DilationH, c.DilationW)
	}
	h, wd := c.up(x[2], x[3], w[2], w[3])
	if h < 1 || wd < 1 {
		return nil, fmt.Errorf("the padding %d+%d by %d+%d leaves nothing: the output would be %dx%d",
			c.PadTop, c.PadBottom, c.PadLeft, c.PadRight, h, wd)
	}
	return sized(graph.Float32, x[0], w[1]*c.Groups, h, wd)
}

// transposeTo is ConvTranspose2D with the output padding that makes its output h×w.
func transposeTo(x, weight graph.Value, c ConvConfig, h, w int) graph.Value {
	c.OutPadH, c.OutPadW = 0, 0
	oh, ow := c.up(x.Dim(2), x.Dim(3), weight.Dim(2), weight.Dim(3))
	c.OutPadH, c.OutPadW = h-oh, w-ow
	return ConvTranspose2D(x, weight, c)
}

// dX is the convolution of dY. With an output padding of a stride or more (a dilation allows it) that convolution has
// rows and columns beyond X, which are cut off, and X is filled up by zeros for the weight's gradient.
func (c ConvTranspose) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	x, w := n.In[0], n.In[1]
	dx := Conv2D(dOut[0], w, c.ConvConfig)
	moreH, moreW := dx.Dim(2)-x.Dim(2), dx.Dim(3)-x.Dim(3)
	if moreH > 0 {
		dx, x = Slice(dx, 2, 0, x.Dim(2)), Pad(x, 2, 0, moreH, 0)
	}
	if moreW > 0 {
		dx, x = Slice(dx, 3, 0, x.Dim(3)), Pad(x, 3, 0, moreW, 0)
	}
	return []graph.Value{dx, Conv2DWeightGrad(dOut[0], x, c.ConvConfig, w.Dim(2), w.Dim(3))}
}

// Eval is the definition: each input element spreads over the filter.
func (c ConvTranspose) Eval(out, in []graph.Tensor) {
	small, w, large := in[0], in[1], out[0]
	convolution{c.ConvConfig, large.Shape, w.Shape, small.Shape}.rows(func(xi, wi, yi, n int) {
		f := w.Data[wi]
		for j := range n {
			large.Data[xi+j*c.StrideW] += f * small.Data[yi+j]
		}
	})
}

// Examples are convCases seen from the other side, and output padding of its own.
func (ConvTranspose) Examples() []graph.Example {
	var es []graph.Example
	for _, e := range convCases() {
		c, y := e.c, e.y()
		h, w := c.up(y[2], y[3], e.w[2], e.w[3])
		c.OutPadH, c.OutPadW = e.x[2]-h, e.x[3]-w
		es = append(es, graph.Example{Op: ConvTranspose{c}, Args: []graph.Arg{f32(y...), f32(e.w...)}, Bench: e.bench})
	}
	outPad := func(c ConvConfig, x, w graph.Arg) graph.Example {
		return graph.Example{Op: ConvTranspose{c.Normalized()}, Args: []graph.Arg{x, w}}
	}
	return append(es,
		outPad(ConvConfig{StrideH: 2, StrideW: 3, OutPadH: 1, OutPadW: 2, PadTop: 1, PadLeft: 1}, f32(1, 2, 3, 2), f32(2, 2, 3, 3)),
		outPad(ConvConfig{StrideH: 2, StrideW: 1, DilationH: 3, DilationW: 2, OutPadH: 2, OutPadW: 1, PadBottom: 3, PadRight: 2}, f32(1, 2, 3, 2), f32(2, 1, 2, 2)),
	)
}
