package nn

import (
	"aetrain/graph"
	"aetrain/op"
)

func init() { Layers.Add("gru", func() Layer { return NewGRU(0) }) }

// GRU is a layer of gated recurrent units, gates r, z, n; see [Recurrent] for keys and weights and [op.GRU] for the formulas.
type GRU struct{ Recurrent }

// NewGRU returns a layer with the defaults and this many units; 0 leaves them out.
func NewGRU(units int) *GRU { return &GRU{newRecurrent(units)} }

// Kind is "gru".
func (*GRU) Kind() string { return "gru" }

// Spread returns one layer each of a list in Units.
func (l *GRU) Spread() []Layer { return spreadRecurrent(l) }

// Build walks over the sequence.
func (l *GRU) Build(s *Scope, x graph.Value) graph.Value { return l.build(s, x, 3, op.GRU) }

// Step runs one time.
func (l *GRU) Step(s *Scope, x graph.Value, m Moment) graph.Value {
	return l.step(s, x, m, 3, stepBy(op.GRU))
}

// Mirror is a GRU and a dense layer that restores the channels; the code is repeated where only the last state was left.
func (l *GRU) Mirror(in graph.Shape) ([]Layer, error) { return l.mirror(NewGRU(0), in), nil }
