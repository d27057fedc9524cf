package data

import (
	"aetrain/graph"
	"aetrain/internal/philox"
	"aetrain/op"
)

func init() { transforms.Add("dequantize", func() Transform { return &Dequantize{Levels: 256} }) }

// Dequantize spreads each of the levels of stored images over its share of [0,1): (x·(Levels-1) + u) / Levels with u uniform in [0,1),
// drawn anew each epoch, so that a density over them is well defined.
// Source: Uria, Murray & Larochelle 2013, "RNADE: The real-valued neural autoregressive density-estimator", section 5.
type Dequantize struct {
	Levels int `toml:"levels" min:"2" max:"65536" doc:"how many values a stored pixel can have"`
}

// Bind implements Transform.
func (t *Dequantize) Bind(in graph.Spec) (Step, error) {
	return dequantize{sameShape{in}, float32(t.Levels)}, nil
}

type dequantize struct {
	sameShape
	levels float32
}

func (s dequantize) Apply(dst, src []float32, d Draw) {
	for i := 0; i < len(src); i += 4 {
		for k, w := range d.Block(i / 4) {
			if i+k == len(src) {
				return
			}
			dst[i+k] = (float32(src[i+k]*(s.levels-1)) + philox.Uniform(w)) / s.levels
		}
	}
}

func (dequantize) draws() {}

// Ops may round the product and the sum at once.
func (s dequantize) Ops(x graph.Value, d OpDraw) (graph.Value, error) {
	sum := op.Add(op.Scale(x, float64(s.levels-1)), d.uniform(x.Shape()...))
	return op.Div(sum, x.Graph().Scalar(float64(s.levels))), nil
}
