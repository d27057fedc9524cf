package data

import (
	"aetrain/configs"
	"aetrain/graph"
	"aetrain/internal/philox"
	"aetrain/op"
)

func init() { transforms.Add("binarize", func() Transform { return &Binarize{Threshold: 0.5} }) }

// Binarize makes every value 0 or 1: 1 above a threshold or, dynamic, with the value as its probability, drawn anew each epoch, or once
// for all of them.
// Source of the latter two: Salakhutdinov & Murray 2008, "On the Quantitative Analysis of Deep Belief Networks" (once); anew each epoch as
// in Burda, Grosse & Salakhutdinov 2016, "Importance Weighted Autoencoders", section 5.
type Binarize struct {
	Threshold float64 `toml:"threshold" doc:"values above it become 1"`
	Dynamic   bool    `toml:"dynamic" doc:"draw each value as 1 with itself as the probability; validation and test always draw the same"`
	Once      bool    `toml:"once" doc:"with dynamic: every epoch has the same draws, a fixed binarisation"`
}

// Validate refuses a threshold's draws.
func (t *Binarize) Validate() error {
	if t.Once && !t.Dynamic {
		return configs.KeyError("once", "a threshold draws nothing: add dynamic = true, or leave once out")
	}
	return nil
}

// Bind implements Transform.
func (t *Binarize) Bind(in graph.Spec) (Step, error) {
	switch {
	case t.Once:
		return binarizeOnce{sameShape{in}}, nil
	case t.Dynamic:
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

func (s binarizeDynamic) Apply(dst, src []float32, d Draw) { drawBits(dst, src, d) }

// drawBits makes dst[i] 1 with probability src[i]. Where four values are sure, as most of an image's are, nothing is drawn.
func drawBits(dst, src []float32, d Draw) {
	for i := 0; i < len(src); i += 4 {
		n := min(4, len(src)-i)
		if sure(dst[i:i+n], src[i:i+n]) {
			continue
		}
		for k, w := range d.Block(i / 4) {
			if k == n {
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

// sure fills dst with the bits of src where no draw from [0, 1) could change one: none lies below 0, all lie below 1. dst may be src:
// it is left as it was where one could.
func sure(dst, src []float32) bool {
	for _, v := range src {
		if v > 0 && v < 1 {
			return false
		}
	}
	for i, v := range src {
		dst[i] = 0
		if v >= 1 {
			dst[i] = 1
		}
	}
	return true
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

// binarizeOnce draws as the first epoch does.
type binarizeOnce struct{ sameShape }

func (s binarizeOnce) Apply(dst, src []float32, d Draw) {
	d.Epoch = 0
	drawBits(dst, src, d)
}
