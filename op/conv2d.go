package op

import (
	"fmt"

	"aetrain/graph"
)

func init() { add(Conv{}) }

// Conv2D slides filters over images (a cross-correlation, as in every framework).
//
//	x: N×Cin×H×W   weight: Cout×(Cin/Groups)×KH×KW
//	y: N×Cout×H'×W',  H' = ⌊(H + PadTop + PadBottom - DilationH·(KH-1) - 1) / StrideH⌋ + 1, W' alike
//
// A bias is added by [AddBias], which the compiler joins to the convolution.
// Source: Dumoulin & Visin 2016, "A guide to convolution arithmetic for deep learning", chapter 2.
func Conv2D(x, weight graph.Value, c ConvConfig) graph.Value {
	c.OutPadH, c.OutPadW = 0, 0
	return apply(Conv{c.Normalized()}, x, weight)
}

// Conv is the op of [Conv2D]; its ConvConfig is normalized.
type Conv struct{ ConvConfig }

// Name returns "Conv2D".
func (Conv) Name() string { return "Conv2D" }

// Arguments returns the names of the inputs.
func (Conv) Arguments() []string { return []string{"input", "weight"} }

// OutputSize is H'×W' for an input of h×w and a filter of kh×kw.
func (c Conv) OutputSize(h, w, kh, kw int) (oh, ow int) { return c.down(h, w, kh, kw) }

// Infer is the shape rule in the doc comment of [Conv2D].
func (c Conv) Infer(in []graph.Spec) ([]graph.Spec, error) {
	x, w := in[0].Shape, in[1].Shape
	if err := c.wants(in[0], in[1]); err != nil {
		return nil, err
	}
	if want := w[1] * c.Groups; x[1] != want {
		return nil, fmt.Errorf("weight wants %d input channels%s, input has %d", want, c.inGroups(w[1]), x[1])
	}
	if w[0]%c.Groups != 0 {
		return nil, fmt.Errorf("%d filters do not divide into %d groups", w[0], c.Groups)
	}
	if err := c.fits(x[2], x[3], w[2], w[3]); err != nil {
		return nil, err
	}
	h, wd := c.down(x[2], x[3], w[2], w[3])
	return sized(graph.Float32, x[0], w[0], h, wd)
}

// wants checks attributes and ranks.
func (c ConvConfig) wants(x, weight graph.Spec) error {
	if err := c.check(); err != nil {
		return err
	}
	if err := wantImages("input", x); err != nil {
		return err
	}
	return wantImages("weight", weight)
}

func (c ConvConfig) inGroups(each int) string {
	if c.Groups == 1 {
		return ""
	}
	return fmt.Sprintf(" (%d in each of %d groups)", each, c.Groups)
}

// fits says so where the filter is larger than the input.
func (c ConvConfig) fits(h, w, kh, kw int) error {
	if oh, ow := c.down(h, w, kh, kw); oh >= 1 && ow >= 1 {
		return nil
	}
	eh, ew := c.Extent(kh, kw)
	dilated := ""
	if eh != kh || ew != kw {
		dilated = fmt.Sprintf(" (%dx%d with dilation %dx%d)", kh, kw, c.DilationH, c.DilationW)
	}
	return fmt.Errorf("filter %dx%d%s is larger than the padded input %dx%d", eh, ew, dilated, h+c.PadTop+c.PadBottom, w+c.PadLeft+c.PadRight)
}

// dX is the transposed convolution of dY, padded at the end by the rows and columns that the stride left over.
func (c Conv) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	x, w := n.In[0], n.In[1]
	return []graph.Value{
		transposeTo(dOut[0], w, c.ConvConfig, x.Dim(2), x.Dim(3)),
		Conv2DWeightGrad(x, dOut[0], c.ConvConfig, w.Dim(2), w.Dim(3)),
	}
}

// Eval is the definition.
func (c Conv) Eval(out, in []graph.Tensor) {
	x, w, y := in[0], in[1], out[0]
	convolution{c.ConvConfig, x.Shape, w.Shape, y.Shape}.rows(func(xi, wi, yi, n int) {
		f := w.Data[wi]
		for j := range n {
			y.Data[yi+j] += f * x.Data[xi+j*c.StrideW]
		}
	})
}

// Examples are those of convCases.
func (Conv) Examples() []graph.Example {
	var es []graph.Example
	for _, e := range convCases() {
		es = append(es, graph.Example{Op: Conv{e.c}, Args: []graph.Arg{f32(e.x...), f32(e.w...)}, Bench: e.bench})
	}
	return es
}
