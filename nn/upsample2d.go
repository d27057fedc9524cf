package nn

import (
	"aetrain/configs"
	"aetrain/graph"
	"aetrain/op"
)

func init() {
	Layers.Add("upsample2d", func() Layer { return &Upsample2D{Scale: configs.Ints{2}, Mode: "nearest"} })
}

// Upsample2D makes an image Scale times as large: each pixel repeated, or interpolated between pixel centres.
type Upsample2D struct {
	Common
	Scale configs.Ints `toml:"scale" min:"1" doc:"how many times as large: n or [height, width]"`
	Mode  string       `toml:"mode" choices:"nearest|bilinear" doc:"nearest repeats pixels, bilinear interpolates"`

	target []int // of a mirror: height and width to give, exactly
	shift  []int // and the row and column of the output at which the first repeated pixel stands
}

// Validate holds the scale to one or two numbers.
func (l *Upsample2D) Validate() error {
	if len(l.Scale) > 2 {
		return configs.KeyError("scale", "%d numbers; want one, or [height, width]", len(l.Scale))
	}
	return nil
}

// Kind is "upsample2d".
func (*Upsample2D) Kind() string { return "upsample2d" }

// Output is C × H·Scale × W·Scale.
func (l *Upsample2D) Output(in graph.Shape) (graph.Shape, error) {
	if err := wantImage(in); err != nil {
		return nil, err
	}
	if l.target != nil {
		return graph.Shape{in[0], l.target[0], l.target[1]}, nil
	}
	h, w := pair(l.Scale, 2)
	return checkImage(graph.Shape{in[0], in[1] * h, in[2] * w})
}

// Build repeats or interpolates.
func (l *Upsample2D) Build(_ *Scope, x graph.Value) graph.Value {
	h, w := pair(l.Scale, 2)
	y := x
	if h > 1 || w > 1 {
		y = op.Upsample2D(x, h, w, l.Mode)
	}
	if l.target != nil {
		y = fit(y, 2, l.target[0], l.shift[0])
		y = fit(y, 3, l.target[1], l.shift[1])
	}
	return y
}

// fit brings an axis to a size: x begins at index shift of the result; what lies outside is cut off, what is missing is the border again.
func fit(x graph.Value, axis, size, shift int) graph.Value {
	n := x.Dim(axis)
	from, to := max(0, -shift), min(n, size-shift)
	middle := op.Slice(x, axis, from, to)
	var parts []graph.Value
	for range max(0, shift) {
		parts = append(parts, op.Slice(x, axis, 0, 1))
	}
	parts = append(parts, middle)
	for range size - max(0, shift) - (to - from) {
		parts = append(parts, op.Slice(x, axis, n-1, n))
	}
	if len(parts) == 1 {
		return middle
	}
	return op.Concat(axis, parts...)
}

// Mirror is the mean of what each pixel became.
func (l *Upsample2D) Mirror(graph.Shape) ([]Layer, error) {
	p := &AvgPool2D{Pool: newPool()}
	p.Kernel = l.Scale
	return []Layer{p}, nil
}
