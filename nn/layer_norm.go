package nn

import (
	"aetrain/graph"
	"aetrain/op"
)

func init() { Layers.Add("layer_norm", func() Layer { return newLayerNorm() }) }

// LayerNorm normalises each example by its own mean and variance: over the last axis of vectors and sequences, over the whole
// image otherwise (which is group norm with one group). weight and bias hold a number for each feature, or channel.
// Source: Ba, Kiros & Hinton 2016, "Layer Normalization", eq. 4.
type LayerNorm struct {
	Common
	Eps float64 `toml:"eps" over:"0" doc:"added to the variance"`
}

func newLayerNorm() *LayerNorm { return &LayerNorm{Eps: normEps} }

// Kind is "layer_norm".
func (*LayerNorm) Kind() string { return "layer_norm" }

func (*LayerNorm) decorates() {}

// Output is the input's shape.
func (*LayerNorm) Output(in graph.Shape) (graph.Shape, error) { return in, nil }

// Build normalises.
func (l *LayerNorm) Build(s *Scope, x graph.Value) graph.Value {
	if x.Rank() == 4 {
		return normGroups(s, x, 1, l.Eps)
	}
	d := x.Dim(-1)
	return op.LayerNorm(x, s.Param("weight", Constant(1), d), s.Param("bias", nil, d), l.Eps)
}

// Mirror is nothing: a mirror keeps the layer itself.
func (*LayerNorm) Mirror(graph.Shape) ([]Layer, error) { return nil, nil }
