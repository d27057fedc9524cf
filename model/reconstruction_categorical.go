package model

import (
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
	"aetrain/prob"
)

func init() {
	Reconstructions.Add("categorical", func() Reconstruction {
		return &CategoricalLikelihood{ReconstructionOptions: newReconstructionOptions(), Classes: 256}
	})
}

// CategoricalLikelihood takes each number of x, in [0, 1], for one of equally spaced levels, and the decoder gives a logit for each
// of them: a softmax over the grey levels of a pixel. Outputs are the mean level. Where x is tokens, it is a softmax over their
// vocabulary, and outputs are the likeliest ones.
// Source: van den Oord, Kalchbrenner & Kavukcuoglu 2016, "Pixel Recurrent Neural Networks", section 3.4.
type CategoricalLikelihood struct {
	ReconstructionOptions
	density
	Classes int `toml:"classes" min:"2" max:"65536" doc:"levels between 0 and 1, both included; 256 are those of stored images. Tokens have their vocabulary"`

	vocabulary int // where x is tokens
}

// Check looks whether x is tokens.
func (r *CategoricalLikelihood) Check(m *Model) error {
	r.vocabulary = m.vocabulary()
	return nil
}

// Channels is a logit for each class.
func (r *CategoricalLikelihood) Channels() int {
	if r.vocabulary > 0 {
		return r.vocabulary
	}
	return r.Classes
}

// Distribution moves the classes, which lie in front of the channels, to the last axis.
func (r *CategoricalLikelihood) Distribution(_ *nn.Scope, raw graph.Value, channels int) prob.Distribution {
	if r.vocabulary > 0 {
		return prob.Tokens{Logits: op.Reshape(raw, raw.Dim(0), -1, r.vocabulary)}
	}
	switch dims := raw.Shape(); len(dims) {
	case 4:
		split := op.Reshape(raw, dims[0], r.Classes, channels, dims[2], dims[3])
		return prob.Levels{Logits: op.Transpose(split, 0, 2, 3, 4, 1)}
	case 3:
		return prob.Levels{Logits: op.Transpose(op.Reshape(raw, dims[0], dims[1], r.Classes, channels), 0, 1, 3, 2)}
	default:
		return prob.Levels{Logits: op.Transpose(op.Reshape(raw, dims[0], r.Classes, channels), 0, 2, 1)}
	}
}

// Range is [0, 1]; tokens may be any.
func (r *CategoricalLikelihood) Range() (low, high float64, bounded bool) {
	return 0, 1, r.vocabulary == 0
}
