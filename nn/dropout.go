package nn

import (
	"aetrain/graph"
	"aetrain/op"
)

func init() { Layers.Add("dropout", func() Layer { return &Dropout{Rate: 0.5} }) }

// Dropout sets elements to 0 with probability Rate while training, and scales the others by 1/(1-Rate); elsewhere it does nothing.
// Source: Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", section 10 (inverted).
type Dropout struct {
	Common
	Rate float64 `toml:"rate" min:"0" below:"1" doc:"share of the elements that training sets to 0"`
}

// Kind is "dropout".
func (*Dropout) Kind() string { return "dropout" }

func (*Dropout) decorates() {}

// Output is the input's shape.
func (*Dropout) Output(in graph.Shape) (graph.Shape, error) { return in, nil }

// Build draws a mask, in training.
func (l *Dropout) Build(s *Scope, x graph.Value) graph.Value {
	if !s.Training() || l.Rate == 0 {
		return x
	}
	keep := 1 - l.Rate
	return op.Mul(x, op.Scale(s.Bernoulli("mask", keep, x.Shape()), 1/keep))
}

// Mirror is nothing: a mirror keeps the layer itself.
func (*Dropout) Mirror(graph.Shape) ([]Layer, error) { return nil, nil }
