package nn

import (
	"aetrain/graph"
	"aetrain/op"
)

// Affine holds the keys that layers with a weight share.
type Affine struct {
	Post
	Bias bool   `toml:"bias" doc:"add a learned bias"`
	Init string `toml:"init" choices:"torch|he|xavier|orthogonal" doc:"how weights start: torch is PyTorch's default, he is for ReLU, xavier (uniform) is Keras's default"`

	SpectralNorm bool `toml:"spectral_norm" doc:"divide the weight by its largest singular value, so that the layer stretches nothing: for discriminators"`

	shared *shared // weight of another layer, transposed
}

// newAffine holds the defaults.
func newAffine() Affine { return Affine{Post: noPost, Bias: true, Init: "torch"} }

// shared names the weight of a layer whose mirror this is, with tied weights.
type shared struct {
	path string // of the layer: "encoder.0"
	init string // its initialiser
}

func (a Affine) post() Post { return a.Post }

// weight declares the layer's weight with these dims: its own, or the shared one. fanOfShared is the dims that its owner sees.
func (a Affine) weight(s *Scope, dims ...int) graph.Value {
	init := a.Init
	if a.shared != nil {
		s, init = s.At(a.shared.path), a.shared.init
	}
	w := s.Param("weight", initialiser(init).Weight, dims...)
	if a.SpectralNorm {
		return spectral(s, w)
	}
	return w
}

// finish adds bias, norm, activation and dropout. fanIn is what the bias's initialiser needs.
func (a Affine) finish(s *Scope, y graph.Value, outputs, fanIn int) graph.Value {
	if a.Bias {
		bias := s.Param("bias", initialiser(a.Init).Bias(fanIn), outputs)
		if y.Rank() == 3 { // a sequence: the last axis
			y = op.Reshape(op.AddBias(op.Reshape(y, -1, outputs), bias), y.Shape()...)
		} else {
			y = op.AddBias(y, bias)
		}
	}
	return a.build(s, y)
}
