package nn

import (
	"aetrain/graph"
	"aetrain/op"
)

func init() { Layers.Add("rnn", func() Layer { return NewRNN(0) }) }

// RNN is a plain recurrent layer with tanh; see [Recurrent] for keys and weights and [op.RNN] for the formula.
type RNN struct{ Recurrent }

// NewRNN returns a layer with the defaults and this many units; 0 leaves them out.
func NewRNN(units int) *RNN { return &RNN{newRecurrent(units)} }

// Kind is "rnn".
func (*RNN) Kind() string { return "rnn" }

// Spread returns one layer each of a list in Units.
func (l *RNN) Spread() []Layer { return spreadRecurrent(l) }

// Build walks over the sequence.
func (l *RNN) Build(s *Scope, x graph.Value) graph.Value { return l.build(s, x, 1, op.RNN) }

// Step runs one time.
func (l *RNN) Step(s *Scope, x graph.Value, m Moment) graph.Value {
	return l.step(s, x, m, 1, stepBy(op.RNN))
}

// Mirror is an RNN and a dense layer that restores the channels; the code is repeated where only the last state was left.
func (l *RNN) Mirror(in graph.Shape) ([]Layer, error) { return l.mirror(NewRNN(0), in), nil }
