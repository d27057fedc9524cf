package nn

import (
	"errors"

	"aetrain/graph"
	"aetrain/op"
)

func init() { Layers.Add("teacher_forcing", func() Layer { return &TeacherForcing{} }) }

// TeacherForcing joins the token before each time to what a decoder of tokens knows there: T×D becomes T×(D+Units).
//
//	weight: (Size+2)×Units, a row for each token, one for the beginning and one for tokens that word dropout hides
//
// While training the tokens are the target's, elsewhere those that the decoder has found itself, one at a time ([Moment]). What stands
// behind it sees nothing that comes later: convolutions and transformers become causal.
// Source: Bowman et al. 2016, "Generating Sentences from a Continuous Space", section 3.1.
type TeacherForcing struct {
	Common
	Size        int     `toml:"size" min:"1" doc:"how many different tokens there are; left out: those of the data"`
	Units       int     `toml:"units" required:"true" min:"1" doc:"features of the token before" example:"32"`
	WordDropout float64 `toml:"word_dropout" min:"0" max:"1" doc:"share of those tokens that training hides, so that the code has to tell them"`
}

// Kind is "teacher_forcing".
func (*TeacherForcing) Kind() string { return "teacher_forcing" }

// WithVocabulary returns the layer for so many tokens, where it leaves them out.
func (l *TeacherForcing) WithVocabulary(n int) Layer {
	if l.Size > 0 {
		return l
	}
	c := duplicate(l)
	c.Size = n
	return c
}

// Output is T×(D+Units).
func (l *TeacherForcing) Output(in graph.Shape) (graph.Shape, error) {
	if err := wantSequence(in); err != nil {
		return nil, err
	}
	if l.Size == 0 {
		return nil, errors.New("x holds no tokens: it stands in decoders of text")
	}
	if _, err := checkImage(graph.Shape{l.Size + 2, l.Units}); err != nil {
		return nil, err
	}
	return checkImage(graph.Shape{in[0], in[1] + l.Units})
}

// Begin is the number of the token before the first.
func (l *TeacherForcing) Begin() int { return l.Size }

// Join puts the tokens before, N×T (float32), beside h, N×T×D.
func (l *TeacherForcing) Join(s *Scope, h, before graph.Value) graph.Value {
	if s.Training() && l.WordDropout > 0 {
		lost := s.Bernoulli("lost", l.WordDropout, before.Shape())
		before = op.Select(lost, s.Graph().Constant(graph.F32(before.Shape()...), float64(l.Size+1)), before)
	}
	table := s.Param("weight", Normal(1), l.Size+2, l.Units)
	return op.Concat(2, h, op.Gather(table, op.Cast(before, graph.Int32)))
}

// Build is for where nobody tells what came before: every time is the first.
func (l *TeacherForcing) Build(s *Scope, x graph.Value) graph.Value {
	if x.Rank() != 3 {
		return x // the graph has an error already
	}
	return l.Join(s, x, s.Graph().Constant(graph.F32(x.Dim(0), x.Dim(1)), float64(l.Begin())))
}

// Mirror is nothing that could be: it stands in decoders.
func (l *TeacherForcing) Mirror(graph.Shape) ([]Layer, error) {
	return nil, errors.New("it stands in decoders only, and has no mirror: write the decoder out")
}
