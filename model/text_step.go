package model

import (
	"errors"

	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

// A decoder with teacher_forcing that is told nobody's tokens but its own needs one pass of its layers for each token. As one graph
// that is a copy of them for each, over all tokens before; in steps it is one program that runs as often and keeps, from run to run,
// what layers know of the tokens before ([nn.Moment]).

// keptHidden marks a graph whose decoder waits for its tokens.
const keptHidden = "decoder writes in steps"

// DecodeSteps is how many runs of [Model.DecodeStep] write what the model decodes; 0 where that takes no steps, and of an ensemble,
// whose members speak together.
func (m *Model) DecodeSteps() int {
	at := m.teacherAt()
	if at < 0 || m.Config.Ensemble.Members > 1 || !(&nn.Stack{Layers: m.Decoder.Layers[at+1:]}).CanStep() {
		return 0
	}
	return m.X[0]
}

// InSteps is the same model, whose Decode, Reconstruct and Sample leave the tokens to [Model.DecodeStep] where there are any
// ([Function.Steps]): their recon is that function's then.
func (m *Model) InSteps() *Model {
	own := *m
	own.inSteps = m.DecodeSteps() > 0
	return &own
}

// hidden is what the layers before teacher_forcing have made of the codes of a batch: scratch.
func (m *Model) hidden(s *nn.Scope, at nn.Moment, dims ...int) graph.Value {
	return at.Carry(s, "hidden", dims...)
}

// toBeWritten keeps h, N×T×D, for the steps. What it returns stands for logits that no one reads.
func (m *Model) toBeWritten(s *nn.Scope, h graph.Value) graph.Value {
	s.Assign(m.hidden(s, nn.Moment{}, h.Shape()...), h)
	s.Keep(keptHidden, h)
	return s.Graph().Constant(graph.F32(h.Dim(0), m.X[0], m.vocabulary()), 0)
}

// DecodeStep builds one token of each text of a batch, at the input [InputPosition], from those before it. Its output recon, N×T, is
// the whole text when it has run for all positions, one after the other.
func (m *Model) DecodeStep(batch int) (*Function, error) {
	if m.DecodeSteps() == 0 {
		return nil, errors.New("its decoder gives all at once")
	}
	fn := m.begin(batch, false)
	g, layers, at := fn.Graph, m.Decoder.Layers, m.teacherAt()
	now := nn.Moment{At: g.Input(InputPosition, graph.I32()), Length: m.X[0]}
	fn.Scope.Within("decoder", func(s *nn.Scope) graph.Value {
		teacher := layers[at].Layer.(*nn.TeacherForcing)
		h := now.Of(m.hidden(s, now, append([]int{batch}, layers[at].In...)...))
		last, before := now.Before(s, "before", g.Constant(graph.F32(batch, 1), float64(teacher.Begin())), batch, 1)
		x := s.Within(layers[at].Path, func(s *nn.Scope) graph.Value { return teacher.Join(s, h, before) })
		logits := (&nn.Stack{Layers: layers[at+1:]}).Step(s, x, now)
		token := op.Reshape(op.Cast(op.ArgMax(logits), graph.Float32), batch, 1)
		s.Assign(last, token)
		draft := now.Carry(s, "tokens", batch, m.X[0])
		text := now.With(draft, token)
		s.Assign(draft, text)
		fn.Outputs["recon"] = text
		return text
	})
	return m.end(fn)
}
