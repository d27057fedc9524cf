package op

import (
	"fmt"

	"aetrain/graph"
)

func init() {
	add(AvgPool{})
	add(AvgPoolGrad{})
}

// AvgPool2D averages each window of N×C×H×W images. The divisor is the part of the window inside the image, or the
// whole window with c.CountIncludePad (PyTorch's default).
func AvgPool2D(x graph.Value, c PoolConfig) graph.Value { return apply(AvgPool{c.Normalized()}, x) }

// AvgPool is the op of [AvgPool2D]; its PoolConfig is normalized.
type AvgPool struct{ PoolConfig }

// Name returns "AvgPool2D".
func (AvgPool) Name() string { return "AvgPool2D" }

// Infer is the shape rule of [PoolConfig.OutputSize].
func (a AvgPool) Infer(in []graph.Spec) ([]graph.Spec, error) { return a.infer(in[0]) }

// VJP is the transpose, a linear op.
func (a AvgPool) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	x := n.In[0]
	return one(apply(AvgPoolGrad{PoolConfig: a.PoolConfig, H: x.Dim(2), W: x.Dim(3)}, dOut[0]))
}

// Divisor is what the sum of a window of rows top..bottom and columns left..right (ends excluded) is divided by.
func (c PoolConfig) Divisor(top, bottom, left, right int) float64 {
	if c.CountIncludePad {
		return float64(c.KH * c.KW)
	}
	return float64((bottom - top) * (right - left))
}

// Eval is the definition.
func (a AvgPool) Eval(out, in []graph.Tensor) {
	s := in[0].Shape
	a.windows(s[0]*s[1], s[2], s[3], func(o, plane, top, bottom, left, right int) {
		sum := 0.0
		for i := top; i < bottom; i++ {
			for j := left; j < right; j++ {
				sum += in[0].Data[plane+i*s[3]+j]
			}
		}
		out[0].Data[o] = sum / a.Divisor(top, bottom, left, right)
	})
}

// Examples are those of poolCases.
func (AvgPool) Examples() []graph.Example {
	var es []graph.Example
	for _, e := range poolCases() {
		es = append(es, graph.Example{Op: AvgPool{e.c}, Args: []graph.Arg{f32(e.x...)}, Bench: e.bench})
	}
	return es
}

// AvgPoolGrad is the transpose of average pooling: it spreads dy (N×C×H'×W') evenly over the windows of an N×C×H×W image.
type AvgPoolGrad struct {
	PoolConfig
	H, W int // of the image
}

// Name returns "AvgPool2DGrad".
func (AvgPoolGrad) Name() string { return "AvgPool2DGrad" }

// Infer wants dy of the size that pooling an H×W image gives.
func (a AvgPoolGrad) Infer(in []graph.Spec) ([]graph.Spec, error) {
	if err := wantImages("dy", in[0]); err != nil {
		return nil, err
	}
	dy := in[0].Shape
	y, err := a.infer(graph.F32(dy[0], dy[1], a.H, a.W))
	if err != nil {
		return nil, err
	}
	if !y[0].Shape.Equal(dy) {
		return nil, fmt.Errorf("pooling %dx%d gives %dx%d, dy is %dx%d", a.H, a.W, y[0].Shape[2], y[0].Shape[3], dy[2], dy[3])
	}
	return sized(graph.Float32, dy[0], dy[1], a.H, a.W)
}

// VJP pools again.
func (a AvgPoolGrad) VJP(_ *graph.Node, dOut []graph.Value) []graph.Value {
	return one(AvgPool2D(dOut[0], a.PoolConfig))
}

// Eval is the definition.
func (a AvgPoolGrad) Eval(out, in []graph.Tensor) {
	s := out[0].Shape
	a.windows(s[0]*s[1], s[2], s[3], func(o, plane, top, bottom, left, right int) {
		share := in[0].Data[o] / a.Divisor(top, bottom, left, right)
		for i := top; i < bottom; i++ {
			for j := left; j < right; j++ {
				out[0].Data[plane+i*s[3]+j] += share
			}
		}
	})
}

// Examples are those of poolCases.
func (AvgPoolGrad) Examples() []graph.Example {
	var es []graph.Example
	for _, e := range poolCases() {
		o := AvgPoolGrad{PoolConfig: e.c, H: e.x[2], W: e.x[3]}
		es = append(es, graph.Example{Op: o, Args: []graph.Arg{f32(e.y()...)}, Bench: e.bench})
	}
	return es
}
