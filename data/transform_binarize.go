package data

import (
	"aetrain/graph"
	"aetrain/internal/philox"
	"aetrain/op"
)

func init() { transforms.Add("binarize", func() Transform { return &Binarize{Threshold: 0.5} }) }

// Binarize makes every value 0 or 1: 1 above a threshold or, dynamic, with the value as its probability, drawn anew each epoch.
// Source of the latter: Salakhutdinov & Murray 2008, "On the Quantitative Analysis of Deep Belief Networks"; anew each epoch as in
// Burda, Grosse & Salakhutdinov 2016, "Importance Weighted Autoencoders", section 5.
type Binarize struct {
	Threshold float64 `toml:"threshold" doc:"values above it become 1"`
	Dynamic   bool    `toml:"dynamic" doc:"draw each value as 1 with itself as the probability; validation and test always draw the same"`
}

// Bind implements Transform.
func (t *Binarize) Bind(in graph.Spec) (Step, error) {
	if t.Dynamic {
		return binarizeDynamic{sameShape{in}}, nil
	}
	return binarize{sameShape{in}, float32(t.Threshold)}, nil
}

type binarize struct {
	sameShape
	threshold float32
}

func (s binarize) Apply(dst, src []float32, _ Draw) {
	for i, v := range src {
		dst[i] = 0
		if v > s.threshold {
			dst[i] = 1
		}
	}
}

type binarizeDynamic struct{ sameShape }

func (s binarizeDynamic) Apply(dst, src []float32, d Draw) {
	for i := 0; i < len(src); i += 4 {
		for k, w := range d.Block(i / 4) {
			if i+k == len(src) {
				return
			}
			v := src[i+k]
			dst[i+k] = 0
			if philox.Uniform(w) < v {
				dst[i+k] = 1
			}
		}
	}
}

func (binarizeDynamic) draws() {}

// Ops compares.
func (s binarize) Ops(x graph.Value, _ OpDraw) (graph.Value, error) {
	return op.Greater(x, x.Graph().Scalar(float64(s.threshold))), nil
}

// Ops draws and compares.
func (binarizeDynamic) Ops(x graph.Value, d OpDraw) (graph.Value, error) {
	return op.Less(d.uniform(x.Shape()...), x), nil
}
