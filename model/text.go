package model

import (
	"errors"
	"fmt"
	"slices"

	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

// Vocabulary is how many different tokens there are where x is a sequence of them; 0: x is none.
func (m *Model) Vocabulary() int { return m.vocabulary() }

// vocabulary is how many different tokens there are where x is a sequence of them; 0: x is none.
func (m *Model) vocabulary() int {
	if m.x.DType != graph.Int32 || len(m.X) != 1 {
		return 0
	}
	i := slices.IndexFunc(m.Fields, func(f Field) bool { return f.Name == FieldX })
	return m.Fields[i].Classes
}

// counted gives layers that count tokens the data's vocabulary where they leave it out.
func (m *Model) counted(layers []nn.Layer) []nn.Layer {
	var list []nn.Layer
	for _, l := range layers {
		if t, ok := l.(interface{ WithVocabulary(int) nn.Layer }); ok && m.vocabulary() > 0 {
			l = t.WithVocabulary(m.vocabulary())
		}
		list = append(list, l)
	}
	return list
}

// longestFed bounds sequences whose decoder is fed its own output: the program holds a copy of its layers for each token.
const longestFed = 256

// teacherAt is the index of the decoder's teacher_forcing layer, or -1.
func (m *Model) teacherAt() int {
	if m.Decoder == nil {
		return -1
	}
	return slices.IndexFunc(m.Decoder.Layers, func(p nn.Placed) bool {
		_, is := p.Layer.(*nn.TeacherForcing)
		return is
	})
}

// checkTeacher wants layers behind teacher_forcing that see nothing that comes later, and makes them so.
func (m *Model) checkTeacher() error {
	at := m.teacherAt()
	if at < 0 {
		return nil
	}
	key := fmt.Sprintf("model.decoder[%d]", m.Decoder.Layers[at].Index)
	if m.vocabulary() == 0 {
		return &Error{Key: key, Kind: "teacher_forcing", Err: fmt.Errorf("it tells the decoder the token before each, and x, %v, holds no tokens", m.x)}
	}
	if m.Config.DecoderPer != "" {
		return &Error{Key: key, Kind: "teacher_forcing", Err: errors.New("a decoder for each label sees a part of the batch only, and not its tokens: leave decoder_per out")}
	}
	if !m.logits() {
		return mistake("model.reconstruction", "%s takes numbers, and x holds tokens: use categorical", m.reconstructionKind())
	}
	if m.X[0] > longestFed {
		return &Error{Key: key, Kind: "teacher_forcing", Err: fmt.Errorf("sequences of %d tokens are too long: %d at most", m.X[0], longestFed)}
	}
	var behind []nn.Layer
	for _, p := range m.Decoder.Layers[at+1:] {
		behind = append(behind, p.Layer)
	}
	causal, err := nn.Causal(behind)
	if err != nil {
		var l *nn.LayerError
		if errors.As(err, &l) {
			p := m.Decoder.Layers[at+1+l.Index]
			return &Error{Key: fmt.Sprintf("model.decoder[%d]", p.Index), Kind: l.Kind, Err: l.Err}
		}
		return mistake(key, "%w", err)
	}
	for i, l := range causal {
		m.Decoder.Layers[at+1+i].Layer = l
	}
	return nil
}

// taught applies a decoder with teacher_forcing. While training and in evaluation each time is told the token of x before it;
// elsewhere the one that the decoder itself finds likeliest, token after token: by DecodeStep, or all in this graph.
// Source: Williams & Zipser 1989, "A Learning Algorithm for Continually Running Fully Recurrent Neural Networks", section 2.
func (f *Forward) taught(s *nn.Scope, z graph.Value) graph.Value {
	layers, at := f.model.Decoder.Layers, f.model.teacherAt()
	h := (&nn.Stack{Layers: layers[:at]}).Build(s, z)
	if h.Rank() != 3 {
		return h // the graph has an error already
	}
	teacher := layers[at].Layer.(*nn.TeacherForcing)
	behind := &nn.Stack{Layers: layers[at+1:]}
	next := func(h, before graph.Value) graph.Value {
		h = s.Within(layers[at].Path, func(s *nn.Scope) graph.Value { return teacher.Join(s, h, before) })
		return behind.Build(s, h)
	}
	n, length := h.Dim(0), f.model.X[0]
	begin := s.Graph().Constant(graph.F32(n, 1), float64(teacher.Begin()))
	if f.mode != Inference && n%f.N == 0 && f.X.Valid() {
		x := f.Repeated(f.X)
		if x.Dim(0) == n {
			return next(h, op.Concat(1, begin, op.Slice(x, 1, 0, length-1)))
		}
	}
	if f.mode == Inference && n == f.N && f.model.inSteps {
		return f.model.toBeWritten(s, h)
	}
	before := []graph.Value{begin}
	var logits []graph.Value
	for t := range length {
		y := next(op.Slice(h, 1, 0, t+1), op.Concat(1, before...))
		y = op.Slice(y, 1, t, t+1)
		logits = append(logits, y)
		before = append(before, op.Reshape(op.Cast(op.ArgMax(y), graph.Float32), n, 1))
	}
	return op.Concat(1, logits...)
}

// accuracy is the share of the tokens that are right, of those that count: N.
func (m *Model) accuracy(f *Forward, recon graph.Value) graph.Value {
	x := f.Repeated(f.X)
	right := op.Equal(recon, x)
	if !m.masked {
		return op.Scale(f.PerExample(right), 1/float64(m.X[0]))
	}
	counted := f.Repeated(m.maskLike(f))
	return op.Div(f.PerExample(op.Mul(right, counted)), op.Maximum(f.PerExample(counted), f.scope.Graph().Scalar(1)))
}

// logits reports whether the decoder gives a logit for each token of the vocabulary.
func (m *Model) logits() bool {
	_, is := m.Config.Reconstruction.(*CategoricalLikelihood)
	return is && m.vocabulary() > 0
}
