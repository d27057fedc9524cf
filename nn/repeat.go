package nn

import (
	"errors"
	"fmt"

	"aetrain/graph"
	"aetrain/op"
)

func init() { Layers.Add("repeat", func() Layer { return &Repeat{} }) }

// Repeat makes a sequence of a vector D: Times×D, the same at all times. A recurrent layer behind it multiplies the vector once.
type Repeat struct {
	Common
	Times int `toml:"times" min:"1" doc:"length of the sequence; left out in a decoder: the input's" example:"100"`
}

// Kind is "repeat".
func (*Repeat) Kind() string { return "repeat" }

// Output is Times×D.
func (l *Repeat) Output(in graph.Shape) (graph.Shape, error) {
	switch {
	case len(in) != 1:
		return nil, fmt.Errorf("it repeats vectors, its input is %v: add { layer = \"flatten\" } before it", in)
	case l.Times == 0:
		return nil, errors.New("times is missing; only a decoder of sequences may leave it out")
	}
	return checkImage(graph.Shape{l.Times, in[0]})
}

// Build stretches a new axis.
func (l *Repeat) Build(_ *Scope, x graph.Value) graph.Value {
	n, d := x.Dim(0), x.Dim(1)
	return op.BroadcastTo(op.Reshape(x, n, 1, d), n, l.Times, d)
}

// Mirror is a dense layer over the whole sequence.
func (l *Repeat) Mirror(in graph.Shape) ([]Layer, error) {
	return []Layer{&Flatten{}, NewDense(in.Size())}, nil
}

// For returns the layer with the times of a sequence of this length where it leaves them out.
func (l *Repeat) For(length int) *Repeat {
	if l.Times > 0 {
		return l
	}
	c := duplicate(l)
	c.Times = length
	return c
}
