package op

import (
	"fmt"

	"aetrain/graph"
)

// ConvConfig holds the attributes of a convolution; a zero stride, dilation or number of groups means 1.
// Padding is on each side by itself, so that Keras's "same", with its odd pixel behind, is a configuration like any other.
type ConvConfig struct {
	StrideH, StrideW                     int
	PadTop, PadBottom, PadLeft, PadRight int
	DilationH, DilationW                 int
	Groups                               int
	OutPadH, OutPadW                     int // of transposed convolutions only: rows and columns added at the end
}

// Normalized returns c with its zeros replaced by the default of 1.
func (c ConvConfig) Normalized() ConvConfig {
	for _, p := range []*int{&c.StrideH, &c.StrideW, &c.DilationH, &c.DilationW, &c.Groups} {
		if *p == 0 {
			*p = 1
		}
	}
	return c
}

// Extent is what a filter of kh×kw taps covers of its input, dilation included.
func (c ConvConfig) Extent(kh, kw int) (h, w int) {
	return c.DilationH*(kh-1) + 1, c.DilationW*(kw-1) + 1
}

// down is the output size of a convolution of an h×w input by a kh×kw filter, rounded down; below 1 where the filter does not fit.
func (c ConvConfig) down(h, w, kh, kw int) (oh, ow int) {
	eh, ew := c.Extent(kh, kw)
	h, w = h+c.PadTop+c.PadBottom-eh, w+c.PadLeft+c.PadRight-ew
	if h < 0 || w < 0 {
		return 0, 0
	}
	return h/c.StrideH + 1, w/c.StrideW + 1
}

// up is the output size of a transposed convolution of an h×w input by a kh×kw filter.
func (c ConvConfig) up(h, w, kh, kw int) (oh, ow int) {
	eh, ew := c.Extent(kh, kw)
	return (h-1)*c.StrideH - c.PadTop - c.PadBottom + eh + c.OutPadH,
		(w-1)*c.StrideW - c.PadLeft - c.PadRight + ew + c.OutPadW
}

// Limits of sizes and attributes. They keep all arithmetic on shapes far from overflow.
const (
	maxExtent   = 1 << 24
	maxElements = 1 << 40
)

// check says what is wrong with the attributes themselves.
func (c ConvConfig) check() error {
	for _, a := range []struct {
		name     string
		v, least int
	}{
		{"stride", c.StrideH, 1}, {"stride", c.StrideW, 1}, {"dilation", c.DilationH, 1}, {"dilation", c.DilationW, 1}, {"groups", c.Groups, 1},
		{"padding", c.PadTop, 0}, {"padding", c.PadBottom, 0}, {"padding", c.PadLeft, 0}, {"padding", c.PadRight, 0},
		{"output padding", c.OutPadH, 0}, {"output padding", c.OutPadW, 0},
	} {
		if a.v < a.least {
			return fmt.Errorf("%s is %d and must be at least %d", a.name, a.v, a.least)
		}
		if a.v > maxExtent {
			return fmt.Errorf("%s is %d and must be at most %d", a.name, a.v, maxExtent)
		}
	}
	return nil
}

// wantImages wants a float32 value of four axes, each with at least one element.
func wantImages(what string, s graph.Spec) error {
	if s.DType != graph.Float32 {
		return fmt.Errorf("%s is %v, wants float32", what, s.DType)
	}
	if len(s.Shape) != 4 {
		return fmt.Errorf("%s has %d axes, wants 4", what, len(s.Shape))
	}
	for _, d := range s.Shape {
		if d < 1 || d > maxExtent {
			return fmt.Errorf("%s has an axis of size %d", what, d)
		}
	}
	return nil
}

// sized returns the Spec of an output of this shape, or says that it is beyond reason.
func sized(d graph.DType, dims ...int) ([]graph.Spec, error) {
	n := 1
	for _, k := range dims {
		if k < 0 {
			return nil, fmt.Errorf("the result %v would have a negative size", graph.Shape(dims))
		}
		if k > 0 && n > maxElements/k {
			return nil, fmt.Errorf("the result %v would be too large", graph.Shape(dims))
		}
		n *= max(1, k)
	}
	return []graph.Spec{{Shape: dims, DType: d}}, nil
}

// convolution is one case with its sizes: the large side x (N×Cin×H×W), the small side y (N×Cout×OH×OW) and the weight
// (Cout×Cin/Groups×KH×KW) between them. Conv2D goes from x to y, ConvTranspose2D from y to x, and the weight's gradient takes both.
type convolution struct {
	ConvConfig
	x, w, y graph.Shape
}

// rows calls f for each row of taps: for j < n, weight element w joins x element x+j·StrideW with y element y+j.
// What falls into the padding is left out.
func (c convolution) rows(f func(x, w, y, n int)) {
	cin, cout := c.w[1], c.w[0]/c.Groups // of one group
	for n := range c.x[0] {
		for o := range c.w[0] {
			for i := range cin {
				xPlane := (n*c.x[1] + o/cout*cin + i) * c.x[2] * c.x[3]
				yPlane := (n*c.w[0] + o) * c.y[2] * c.y[3]
				wPlane := (o*cin + i) * c.w[2] * c.w[3]
				c.plane(xPlane, wPlane, yPlane, f)
			}
		}
	}
}

// plane does the rows of one pair of planes.
func (c convolution) plane(x, w, y int, f func(x, w, y, n int)) {
	for kh := range c.w[2] {
		for kw := range c.w[3] {
			left := kw*c.DilationW - c.PadLeft // of column 0 of y
			from, to := inside(left, c.StrideW, c.x[3], c.y[3])
			if from >= to {
				continue
			}
			for r := range c.y[2] {
				if row := r*c.StrideH + kh*c.DilationH - c.PadTop; row >= 0 && row < c.x[2] {
					f(x+row*c.x[3]+left+from*c.StrideW, w+kh*c.w[3]+kw, y+r*c.y[3]+from, to-from)
				}
			}
		}
	}
}

// inside returns the range of j < n for which 0 <= start+j·stride < size.
func inside(start, stride, size, n int) (from, to int) {
	if start < 0 {
		from = (-start + stride - 1) / stride
	}
	if start < size {
		to = min(n, (size-1-start)/stride+1)
	}
	return from, to
}

// convCase is an example of the convolutions, by the shapes of the large side and of the weight.
type convCase struct {
	x, w  graph.Shape
	c     ConvConfig
	bench bool
}

// convCases are small shapes with every attribute, and the layers of the Keras convolutional VAE (seen from the large side).
func convCases() []convCase {
	same2 := ConvConfig{StrideH: 2, StrideW: 2, PadBottom: 1, PadRight: 1} // Keras's "same" for 3×3, stride 2, an even size
	pad := func(p int) ConvConfig { return ConvConfig{PadTop: p, PadBottom: p, PadLeft: p, PadRight: p} }
	cases := []convCase{
		{x: graph.Shape{1, 1, 1, 1}, w: graph.Shape{1, 1, 1, 1}},
		{x: graph.Shape{2, 3, 4, 5}, w: graph.Shape{5, 3, 1, 1}},
		{x: graph.Shape{2, 3, 5, 4}, w: graph.Shape{4, 3, 3, 3}, c: pad(1)},
		{x: graph.Shape{2, 2, 3, 3}, w: graph.Shape{4, 2, 3, 3}},
		{x: graph.Shape{2, 2, 6, 6}, w: graph.Shape{3, 2, 3, 3}, c: same2},
		{x: graph.Shape{1, 2, 7, 5}, w: graph.Shape{3, 2, 3, 3}, c: same2},
		{x: graph.Shape{1, 2, 5, 6}, w: graph.Shape{3, 2, 1, 1}, c: ConvConfig{StrideH: 2, StrideW: 2}},
		{x: graph.Shape{1, 1, 6, 6}, w: graph.Shape{2, 1, 4, 4}, c: ConvConfig{StrideH: 2, StrideW: 2, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}},
		{x: graph.Shape{1, 2, 8, 7}, w: graph.Shape{2, 2, 2, 3}, c: ConvConfig{StrideH: 3, StrideW: 3, PadTop: 1, PadLeft: 2, PadRight: 1}},
		{x: graph.Shape{1, 2, 7, 6}, w: graph.Shape{2, 2, 3, 2}, c: ConvConfig{DilationH: 2, DilationW: 3, PadTop: 2, PadBottom: 1, PadRight: 2}},
		{x: graph.Shape{1, 1, 9, 8}, w: graph.Shape{2, 1, 3, 3}, c: ConvConfig{StrideH: 2, StrideW: 3, DilationH: 3, DilationW: 2, PadTop: 1, PadBottom: 2}},
		{x: graph.Shape{2, 4, 5, 4}, w: graph.Shape{6, 2, 3, 3}, c: ConvConfig{Groups: 2, StrideH: 2, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}},
		{x: graph.Shape{1, 3, 5, 5}, w: graph.Shape{3, 1, 3, 3}, c: ConvConfig{Groups: 3, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}},
		{x: graph.Shape{1, 1, 2, 3}, w: graph.Shape{1, 1, 2, 2}, c: pad(3)},
		{x: graph.Shape{128, 1, 28, 28}, w: graph.Shape{32, 1, 3, 3}, c: same2, bench: true},
		{x: graph.Shape{128, 32, 14, 14}, w: graph.Shape{64, 32, 3, 3}, c: same2, bench: true},
		{x: graph.Shape{128, 64, 14, 14}, w: graph.Shape{64, 64, 3, 3}, c: same2, bench: true},
		{x: graph.Shape{128, 32, 28, 28}, w: graph.Shape{64, 32, 3, 3}, c: same2, bench: true},
		{x: graph.Shape{128, 1, 28, 28}, w: graph.Shape{32, 1, 3, 3}, c: pad(1), bench: true},
	}
	for i := range cases {
		cases[i].c = cases[i].c.Normalized()
	}
	return cases
}

// y is the shape of the small side.
func (e convCase) y() graph.Shape {
	h, w := e.c.down(e.x[2], e.x[3], e.w[2], e.w[3])
	return graph.Shape{e.x[0], e.w[0], h, w}
}
