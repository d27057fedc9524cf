package nn

import (
	"fmt"

	"aetrain/graph"
	"aetrain/op"
)

func init() {
	Layers.Add("embedding", func() Layer { return &Embedding{Positions: "none"} })
}

// Embedding gives each token of a sequence T its row of a table: T×Units.
//
//	x: N×T, tokens 0 ≤ x < Size   weight: Size×Units, from N(0, 1) as PyTorch has it
//
// Its mirror is a dense layer that gives T×Size: a logit for each token, where the likelihood takes them.
type Embedding struct {
	Common
	Size      int    `toml:"size" min:"1" doc:"how many different tokens there are; left out: those of the data" example:"1000"`
	Units     int    `toml:"units" required:"true" min:"1" doc:"features of each token" example:"64"`
	Positions string `toml:"positions" choices:"none|sinusoidal|learned" doc:"what tells places apart, added to the features, for transformers"`
}

// Kind is "embedding".
func (*Embedding) Kind() string { return "embedding" }

// Output is T×Units.
func (l *Embedding) Output(in graph.Shape) (graph.Shape, error) {
	if len(in) != 1 {
		return nil, fmt.Errorf("it works on tokens, one number each, its input is %v", in)
	}
	if l.Size == 0 {
		return nil, fmt.Errorf("size is missing: how many different tokens there are")
	}
	if _, err := checkImage(graph.Shape{l.Size, l.Units}); err != nil {
		return nil, err
	}
	return checkImage(graph.Shape{in[0], l.Units})
}

// Build gathers rows.
func (l *Embedding) Build(s *Scope, x graph.Value) graph.Value {
	y := op.Gather(s.Param("weight", Normal(1), l.Size, l.Units), op.Cast(x, graph.Int32))
	return addPositions(s, l.Positions, y)
}

// Mirror is a dense layer back to one number a token.
func (l *Embedding) Mirror(graph.Shape) ([]Layer, error) {
	return []Layer{NewDense(1)}, nil
}

// WithVocabulary returns the layer for so many tokens, where it leaves them out.
func (l *Embedding) WithVocabulary(n int) Layer {
	if l.Size > 0 {
		return l
	}
	c := duplicate(l)
	c.Size = n
	return c
}
