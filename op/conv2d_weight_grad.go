package op

import (
	"fmt"

	"aetrain/graph"
)

func init() { add(ConvWeightGrad{}) }

// Conv2DWeightGrad is the gradient of Conv2D with respect to its weight, for a filter of kh×kw.
//
//	x: N×Cin×H×W   dy: N×Cout×H'×W', H'×W' the output size of that Conv2D
//	dW: Cout×(Cin/Groups)×KH×KW,  dW[o,c,i,j] = Σ dy[n,o,h,w] · x[n,c, h·StrideH + i·DilationH - PadTop, ...]
//
// Of a transposed convolution it is the weight's gradient, too, with dy as x and x as dy.
func Conv2DWeightGrad(x, dy graph.Value, c ConvConfig, kh, kw int) graph.Value {
	c.OutPadH, c.OutPadW = 0, 0
	return apply(ConvWeightGrad{ConvConfig: c.Normalized(), KH: kh, KW: kw}, x, dy)
}

// ConvWeightGrad is the op of [Conv2DWeightGrad]; its ConvConfig is normalized, KH×KW is the filter.
type ConvWeightGrad struct {
	ConvConfig
	KH, KW int
}

// Name returns "Conv2DWeightGrad".
func (ConvWeightGrad) Name() string { return "Conv2DWeightGrad" }

// Arguments returns the names of the inputs.
func (ConvWeightGrad) Arguments() []string { return []string{"x", "dy"} }

// Infer is the shape rule in the doc comment of [Conv2DWeightGrad].
func (c ConvWeightGrad) Infer(in []graph.Spec) ([]graph.Spec, error) {
	x, dy := in[0].Shape, in[1].Shape
	if err := c.check(); err != nil {
		return nil, err
	}
	if err := wantImages("x", in[0]); err != nil {
		return nil, err
	}
	if err := wantImages("dy", in[1]); err != nil {
		return nil, err
	}
	if c.KH < 1 || c.KW < 1 || c.KH > maxExtent || c.KW > maxExtent {
		return nil, fmt.Errorf("the filter cannot be %dx%d", c.KH, c.KW)
	}
	if x[0] != dy[0] {
		return nil, fmt.Errorf("x holds %d images and dy %d", x[0], dy[0])
	}
	if x[1]%c.Groups != 0 || dy[1]%c.Groups != 0 {
		return nil, fmt.Errorf("%d and %d channels do not divide into %d groups", x[1], dy[1], c.Groups)
	}
	if h, w := c.down(x[2], x[3], c.KH, c.KW); h != dy[2] || w != dy[3] {
		return nil, fmt.Errorf("the convolution of x is %dx%d, dy is %dx%d", h, w, dy[2], dy[3])
	}
	return sized(graph.Float32, dy[1], x[1]/c.Groups, c.KH, c.KW)
}

// The op is linear in x and in dy: its gradients are the two convolutions with the weight's gradient as the weight.
func (c ConvWeightGrad) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	x, dy := n.In[0], n.In[1]
	return []graph.Value{
		transposeTo(dy, dOut[0], c.ConvConfig, x.Dim(2), x.Dim(3)),
		Conv2D(x, dOut[0], c.ConvConfig),
	}
}

// Eval is the definition.
func (c ConvWeightGrad) Eval(out, in []graph.Tensor) {
	x, dy, dw := in[0], in[1], out[0]
	convolution{c.ConvConfig, x.Shape, dw.Shape, dy.Shape}.rows(func(xi, wi, yi, n int) {
		sum := 0.0
		for j := range n {
			sum += x.Data[xi+j*c.StrideW] * dy.Data[yi+j]
		}
		dw.Data[wi] += sum
	})
}

// Examples are those of convCases.
func (ConvWeightGrad) Examples() []graph.Example {
	var es []graph.Example
	for _, e := range convCases() {
		o := ConvWeightGrad{ConvConfig: e.c, KH: e.w[2], KW: e.w[3]}
		es = append(es, graph.Example{Op: o, Args: []graph.Arg{f32(e.x...), f32(e.y()...)}, Bench: e.bench})
	}
	return es
}
