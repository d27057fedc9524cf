package model

import (
	"strconv"
	"strings"

	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

// With decoder_per each label has a decoder of its own, "decoder.LABEL", behind the one encoder, as face swapping needs it: the
// encoder learns what all labels share, a decoder what is its label's alone. In training a batch holds an equal, contiguous block of
// each label, and each decoder sees its own; elsewhere the field of labels says which decoder's output each row gets, so that
// another label than an example's own swaps it.
// Source: Perov et al. 2020, "DeepFaceLab: Integrated, flexible and extensible face-swapping framework", section 3.2.

// findHeads looks for the labels.
func (m *Model) findHeads() error {
	name := m.Config.DecoderPer
	if name == "" {
		return nil
	}
	const key = "model.decoder_per"
	if m.Config.Tied {
		return mistake("model.tied", "each label's decoder has weights of its own, which cannot all be the encoder's: leave tied out")
	}
	var have []string
	for _, f := range m.Fields {
		have = append(have, f.Name)
		if f.Name != name {
			continue
		}
		if f.Spec.DType != graph.Int32 || len(f.Spec.Shape) > 0 || f.Classes == 0 {
			return mistake(key, "%s is no label, of which one knows how many there are", name)
		}
		m.Heads = &f
		return nil
	}
	return mistake(key, "the data has no field %s%s: it has %s", name, near(name, have), strings.Join(have, ", "))
}

// heads is how many decoders there are.
func (m *Model) heads() int {
	if m.Heads == nil {
		return 1
	}
	return m.Heads.Classes
}

// decoderPaths are where the weights of the decoders lie.
func (m *Model) decoderPaths() []string {
	if m.Heads == nil {
		return []string{intoDecoder}
	}
	var paths []string
	for k := range m.heads() {
		paths = append(paths, graph.Join(intoDecoder, strconv.Itoa(k)))
	}
	return paths
}

// BlockField is the field of labels of which each has an equal, contiguous block of every training batch; "" where none is wanted.
func (m *Model) BlockField() string {
	if m.Heads == nil {
		return ""
	}
	return m.Heads.Name
}

// raw is the decoder's output, or that of each row's decoder.
func (f *Forward) raw(s *nn.Scope, z graph.Value) graph.Value {
	m := f.model
	if m.Heads == nil {
		return f.rawOf(s, z)
	}
	if f.mode == Training {
		return f.rawByBlock(s, z)
	}
	label := op.Cast(f.Repeated(f.Field(m.Heads.Name)), graph.Float32)
	label = op.Reshape(label, append([]int{z.Dim(0)}, ones(len(m.Raw))...)...)
	var chosen graph.Value
	for k := range m.heads() {
		out := f.head(s, k, z)
		if k == 0 {
			chosen = out // also of labels that there are not
			continue
		}
		is := op.Equal(op.BroadcastTo(label, out.Shape()...), s.Graph().Constant(out.Spec(), float64(k)))
		chosen = op.Select(is, out, chosen)
	}
	return chosen
}

// rawByBlock gives each decoder its block of the rows.
func (f *Forward) rawByBlock(s *nn.Scope, z graph.Value) graph.Value {
	heads := f.model.heads()
	if z.Dim(0)%heads != 0 {
		s.Graph().Fail(mistake("data.batch", "%d is no multiple of %d: each batch holds as many examples of every label", f.N, heads))
		return f.rawOf(s, z)
	}
	each := z.Dim(0) / heads
	var outs []graph.Value
	for k := range heads {
		outs = append(outs, f.head(s, k, op.Slice(z, 0, k*each, (k+1)*each)))
	}
	return op.Concat(0, outs...)
}

// head is the output of label k's decoder.
func (f *Forward) head(s *nn.Scope, k int, z graph.Value) graph.Value {
	return s.Within(strconv.Itoa(k), func(s *nn.Scope) graph.Value { return f.rawOf(s, z) })
}

// rawOf is the output of the decoder whose weights lie in a scope.
func (f *Forward) rawOf(s *nn.Scope, z graph.Value) graph.Value {
	raw := f.throughDecoder(s, z)
	return op.Reshape(raw, append([]int{z.Dim(0)}, f.model.Raw...)...)
}

// ones is n axes of size 1.
func ones(n int) []int {
	dims := make([]int, n)
	for i := range dims {
		dims[i] = 1
	}
	return dims
}
