package nn

import (
	"errors"
	"fmt"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/op"
)

func init() { Layers.Add("dense", func() Layer { return NewDense(0) }) }

// Dense is y = x·weightᵀ + bias on the last axis: vectors D to Units, sequences T×D to T×Units.
//
//	weight: Units×D   bias: Units
//
// An image that is the network's input is flattened for it; a feature map needs a flatten layer before it.
type Dense struct {
	Common
	Units configs.Ints `toml:"units" min:"1" doc:"outputs; a list is one such layer each; left out at a decoder's end: what the input has" example:"[400, 200]"`
	Affine
}

// NewDense returns a dense layer with the defaults and this many units; 0 leaves them out.
func NewDense(units int) *Dense {
	return &Dense{Units: oneSize(units), Affine: newAffine()}
}

// Kind is "dense".
func (*Dense) Kind() string { return "dense" }

// Spread returns one layer each of a list in Units.
func (d *Dense) Spread() []Layer {
	return spread(d, d.Units, func(c *Dense, n int) { c.Units = configs.Ints{n} })
}

// Size is the number of units, 0 where it was left out.
func (d *Dense) Size() int { return sizeOf(d.Units) }

// Width is the number of units.
func (d *Dense) Width() int { return d.Size() }

// Resized returns the layer with n units.
func (d *Dense) Resized(n int) Layer {
	c := duplicate(d)
	c.Units = configs.Ints{n}
	return c
}

func (d *Dense) withPost(p Post) Layer {
	c := duplicate(d)
	c.Post = p
	return c
}

// Output replaces the last axis.
func (d *Dense) Output(in graph.Shape) (graph.Shape, error) {
	switch {
	case len(in) == 3:
		return nil, fmt.Errorf("its input is a feature map, %v: add { layer = \"flatten\" } before it", in)
	case len(in) != 1 && len(in) != 2:
		return nil, fmt.Errorf("it works on vectors and sequences, its input is %v", in)
	case d.Size() == 0:
		return nil, errNoUnits
	}
	out := in.Clone()
	out[len(out)-1] = d.Size()
	return out, d.check(out)
}

var errNoUnits = errors.New("units is missing; only a decoder's last layer may leave it out")

// Build multiplies by the weight.
func (d *Dense) Build(s *Scope, x graph.Value) graph.Value {
	in, units := x.Dim(-1), d.Size()
	shape := x.Shape()
	if len(shape) == 0 {
		return x // the graph has an error already
	}
	x = op.Reshape(x, -1, in) // one product for all times
	var y graph.Value
	if d.shared != nil {
		y = op.MatMul(x, s.thinned(d.shared.path, d.weight(s, in, units)), false, false)
	} else {
		y = op.MatMul(x, s.thinned("", d.weight(s, units, in)), false, true)
	}
	return d.finish(s, op.Reshape(y, append(shape[:len(shape)-1:len(shape)-1], units)...), units, in)
}

// Mirror is a dense layer back to the input's size.
func (d *Dense) Mirror(in graph.Shape) ([]Layer, error) {
	m := NewDense(in[len(in)-1])
	m.Bias, m.Init = d.Bias, d.Init
	return []Layer{m}, nil
}

// Tied returns the layer with the transposed weight of the layer at path, whose initialiser is init.
func (d *Dense) Tied(path, init string) Layer {
	c := duplicate(d)
	c.shared = &shared{path: path, init: init}
	return c
}
