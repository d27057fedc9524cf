package op

import (
	"fmt"

	"aetrain/graph"
)

// PoolConfig holds the attributes of a pooling: the window, its stride (0: the window's size, so that windows do not
// overlap), and the padding on both sides, which is smaller than the window.
type PoolConfig struct {
	KH, KW           int
	StrideH, StrideW int
	PadH, PadW       int
	// CountIncludePad makes an average divide by the whole window; otherwise by the part of it that lies in the image.
	CountIncludePad bool
}

// Normalized returns c with a zero stride replaced by the window's size.
func (c PoolConfig) Normalized() PoolConfig {
	if c.StrideH == 0 {
		c.StrideH = c.KH
	}
	if c.StrideW == 0 {
		c.StrideW = c.KW
	}
	return c
}

// OutputSize is ⌊(h + 2·PadH - KH) / StrideH⌋ + 1 by the same of w; below 1 where the window does not fit.
func (c PoolConfig) OutputSize(h, w int) (oh, ow int) {
	return c.conv().down(h, w, c.KH, c.KW)
}

// conv is the convolution with the same windows.
func (c PoolConfig) conv() ConvConfig {
	return ConvConfig{StrideH: c.StrideH, StrideW: c.StrideW, DilationH: 1, DilationW: 1, Groups: 1,
		PadTop: c.PadH, PadBottom: c.PadH, PadLeft: c.PadW, PadRight: c.PadW}
}

// check says what is wrong with the attributes themselves.
func (c PoolConfig) check() error {
	if c.KH < 1 || c.KW < 1 || c.KH > maxExtent || c.KW > maxExtent {
		return fmt.Errorf("the window cannot be %dx%d", c.KH, c.KW)
	}
	if err := c.conv().check(); err != nil {
		return err
	}
	if c.PadH >= c.KH || c.PadW >= c.KW {
		return fmt.Errorf("padding %dx%d must be smaller than the window %dx%d", c.PadH, c.PadW, c.KH, c.KW)
	}
	return nil
}

// infer is the shape rule of both poolings.
func (c PoolConfig) infer(x graph.Spec) ([]graph.Spec, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if err := wantImages("input", x); err != nil {
		return nil, err
	}
	h, w := c.OutputSize(x.Shape[2], x.Shape[3])
	if h < 1 || w < 1 {
		return nil, fmt.Errorf("window %dx%d is larger than the padded input %dx%d", c.KH, c.KW, x.Shape[2]+2*c.PadH, x.Shape[3]+2*c.PadW)
	}
	return sized(graph.Float32, x.Shape[0], x.Shape[1], h, w)
}

// windows calls f for each output element of each plane: its index, the index of its plane's first input element, and
// the rows top..bottom and columns left..right (ends excluded) of its window inside the h×w plane.
func (c PoolConfig) windows(planes, h, w int, f func(out, plane, top, bottom, left, right int)) {
	oh, ow := c.OutputSize(h, w)
	for p := range planes {
		for i := range oh {
			top := i*c.StrideH - c.PadH
			for j := range ow {
				left := j*c.StrideW - c.PadW
				f((p*oh+i)*ow+j, p*h*w, max(0, top), min(h, top+c.KH), max(0, left), min(w, left+c.KW))
			}
		}
	}
}

// poolCases are the examples of the poolings: images and windows.
func poolCases() []poolCase {
	c := func(x graph.Shape, c PoolConfig) poolCase { return poolCase{x: x, c: c.Normalized()} }
	cases := []poolCase{
		c(graph.Shape{1, 1, 1, 1}, PoolConfig{KH: 1, KW: 1}),
		c(graph.Shape{2, 3, 4, 6}, PoolConfig{KH: 2, KW: 2}),
		c(graph.Shape{1, 2, 5, 7}, PoolConfig{KH: 2, KW: 3}),
		c(graph.Shape{1, 2, 6, 5}, PoolConfig{KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadH: 1, PadW: 1}),
		c(graph.Shape{2, 1, 5, 5}, PoolConfig{KH: 3, KW: 2, StrideH: 1, StrideW: 1, PadH: 2, PadW: 1, CountIncludePad: true}),
		c(graph.Shape{1, 1, 7, 4}, PoolConfig{KH: 2, KW: 2, StrideH: 3, StrideW: 3, PadW: 1}),
		c(graph.Shape{1, 3, 3, 4}, PoolConfig{KH: 3, KW: 4}),
		c(graph.Shape{128, 32, 28, 28}, PoolConfig{KH: 2, KW: 2}),
	}
	cases[len(cases)-1].bench = true
	return cases
}

type poolCase struct {
	x     graph.Shape
	c     PoolConfig
	bench bool
}

// y is the output's shape.
func (e poolCase) y() graph.Shape {
	h, w := e.c.OutputSize(e.x[2], e.x[3])
	return graph.Shape{e.x[0], e.x[1], h, w}
}
