package nn

import "aetrain/graph"

func init() { Layers.Add("attention", func() Layer { return &Attention{heads: heads{Heads: 1}} }) }

// Attention is multi-head self-attention of sequences T×D, whose shape it keeps: each time becomes a mean over all of them.
// There is neither a norm nor a sum with the input: a residual layer around layer_norm and attention has both.
//
//	in_proj_weight: 3D×D   in_proj_bias: 3D   out_proj.weight: D×D   out_proj.bias: D   (as PyTorch's MultiheadAttention)
//
// Times that the data's field mask hides are seen by none and come out as 0, in the encoder.
// Source: Vaswani et al. 2017, "Attention Is All You Need", section 3.2.
type Attention struct {
	Common
	heads
}

// Kind is "attention".
func (*Attention) Kind() string { return "attention" }

// Output is the input's shape.
func (l *Attention) Output(in graph.Shape) (graph.Shape, error) { return in, l.check(in) }

// Build attends.
func (l *Attention) Build(s *Scope, x graph.Value) graph.Value { return onlyValid(s, l.attend(s, x)) }

// Step attends to one time and those before it.
func (l *Attention) Step(s *Scope, x graph.Value, m Moment) graph.Value { return l.attendNow(s, x, m) }

// Mirror is another one, with weights of its own: the shape is kept.
func (l *Attention) Mirror(graph.Shape) ([]Layer, error) { return []Layer{unnamed(duplicate(l))}, nil }

// Causal returns the layer with causal = true.
func (l *Attention) Causal() (Layer, error) {
	c := duplicate(l)
	c.heads.Causal = true
	return c, nil
}
