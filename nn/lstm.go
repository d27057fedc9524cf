package nn

import (
	"aetrain/graph"
	"aetrain/op"
)

func init() { Layers.Add("lstm", func() Layer { return NewLSTM(0) }) }

// LSTM is a long short-term memory, gates i, f, g, o; see [Recurrent] for keys and weights and [op.LSTM] for the formulas.
type LSTM struct{ Recurrent }

// NewLSTM returns a layer with the defaults and this many units; 0 leaves them out.
func NewLSTM(units int) *LSTM { return &LSTM{newRecurrent(units)} }

// Kind is "lstm".
func (*LSTM) Kind() string { return "lstm" }

// Spread returns one layer each of a list in Units.
func (l *LSTM) Spread() []Layer { return spreadRecurrent(l) }

// Build walks over the sequence.
func (l *LSTM) Build(s *Scope, x graph.Value) graph.Value {
	return l.build(s, x, 4, func(x graph.Value, w op.RecurrentWeights, o op.RecurrentOptions) (h, last graph.Value) {
		h, last, _ = op.LSTM(x, w, o)
		return h, last
	})
}

// Step runs one time.
func (l *LSTM) Step(s *Scope, x graph.Value, m Moment) graph.Value {
	return l.step(s, x, m, 4, func(x graph.Value, w op.RecurrentWeights, o op.RecurrentOptions) []graph.Value {
		_, last, c := op.LSTM(x, w, o)
		return []graph.Value{last, c}
	})
}

// Mirror is an LSTM and a dense layer that restores the channels; the code is repeated where only the last state was left.
func (l *LSTM) Mirror(in graph.Shape) ([]Layer, error) { return l.mirror(NewLSTM(0), in), nil }
