package nn

import (
	"fmt"
	"strconv"

	"aetrain/graph"
	"aetrain/op"
)

func init() { Layers.Add("residual", func() Layer { return &Residual{Times: 1} }) }

// Residual adds what its layers make of x to x: y = x + layers(x), Times blocks one behind the other, each with weights of its own
// (PATH.BLOCK.LAYER.weight). The last layer may leave units or filters out: the input's.
//
// Its mirror is as many blocks of the same layers: they keep the shape, so the way back needs no others.
// Source: He, Zhang, Ren & Sun 2016, "Deep Residual Learning for Image Recognition", eq. 1; with the activations in front of the
// products, "Identity Mappings in Deep Residual Networks", figure 4(e).
type Residual struct {
	Common
	Layers []Layer `toml:"layers" required:"true" doc:"layers of a block, which together keep the shape; the last one may leave units or filters out" example:"[{ layer = \"activation\", kind = \"relu\" }, { layer = \"conv2d\", kernel = 3, padding = 1 }]"`
	Times  int     `toml:"times" min:"1" max:"1000" doc:"how many such blocks, one behind the other"`
}

// Kind is "residual".
func (*Residual) Kind() string { return "residual" }

// block is one block for inputs of shape in. The error is a *LayerError where a layer is wrong.
func (l *Residual) block(in graph.Shape) (*Stack, error) {
	layers := append([]Layer(nil), l.Layers...)
	for i := len(layers) - 1; i >= 0; i-- {
		if last, ok := layers[i].(Sized); ok {
			if last.Size() == 0 {
				layers[i] = last.Resized(in[channelAxis(in)])
			}
			break
		}
	}
	st, err := NewStack(layers, in, false)
	switch {
	case err != nil:
		return nil, err
	case len(st.Layers) == 0:
		return nil, fmt.Errorf("layers is empty: a block needs at least one")
	case !st.Out.Equal(in):
		return nil, fmt.Errorf("its layers make %v of %v, and what is added has to have one shape: change their strides and paddings, and leave units or filters of the last one out", st.Out, in)
	}
	return st, nil
}

// channelAxis is the axis that units and filters size: the first of images, the last otherwise.
func channelAxis(s graph.Shape) int {
	if len(s) == 3 {
		return 0
	}
	return len(s) - 1
}

// Output is the input's shape.
func (l *Residual) Output(in graph.Shape) (graph.Shape, error) {
	if len(in) == 0 {
		return nil, fmt.Errorf("its input has no axes")
	}
	_, err := l.block(in)
	return in, err
}

// Build adds the blocks.
func (l *Residual) Build(s *Scope, x graph.Value) graph.Value {
	if x.Rank() < 2 {
		return x // the graph has an error already
	}
	st, err := l.block(x.Shape()[1:])
	if err != nil {
		x.Graph().Fail(err)
		return x
	}
	for i := range max(1, l.Times) {
		x = op.Add(x, s.Within(strconv.Itoa(i), func(s *Scope) graph.Value { return st.Build(s, x) }))
	}
	return x
}

// CanStep asks the layers of a block.
func (l *Residual) CanStep() bool {
	for _, one := range spreadAll(l.Layers) {
		if !(&Stack{Layers: []Placed{{Layer: one.Layer}}}).CanStep() {
			return false
		}
	}
	return true
}

// Step builds one time of the blocks.
func (l *Residual) Step(s *Scope, x graph.Value, m Moment) graph.Value {
	st, err := l.block(graph.Shape{m.Length, x.Dim(2)})
	if err != nil {
		x.Graph().Fail(err)
		return x
	}
	for i := range max(1, l.Times) {
		x = op.Add(x, s.Within(strconv.Itoa(i), func(s *Scope) graph.Value { return st.Step(s, x, m) }))
	}
	return x
}

// Mirror is the same blocks again, with weights of their own.
func (l *Residual) Mirror(graph.Shape) ([]Layer, error) {
	c := duplicate(l)
	c.Name = ""
	c.Layers = nil
	for _, one := range l.Layers {
		c.Layers = append(c.Layers, unnamed(duplicate(one)))
	}
	return []Layer{c}, nil
}

// Causal returns the blocks with causal layers.
func (l *Residual) Causal() (Layer, error) {
	layers, err := Causal(l.Layers)
	if err != nil {
		return nil, err
	}
	c := duplicate(l)
	c.Layers = layers
	return c, nil
}
