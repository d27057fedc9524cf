package data

import (
	"aetrain/graph"
	"aetrain/internal/philox"
	"aetrain/op"
)

func init() { transforms.Add("noise", func() Transform { return &Noise{Sigma: 0.1} }) }

// Noise adds normal noise to training batches. It changes the target too: a corruption ([model.corruption]) leaves that clean.
type Noise struct {
	Sigma float64 `toml:"sigma" min:"0" doc:"standard deviation of the noise"`
}

// Bind implements Transform.
func (t *Noise) Bind(in graph.Spec) (Step, error) {
	return addNoise{sameShape{in}, float32(t.Sigma)}, nil
}

type addNoise struct {
	sameShape
	sigma float32
}

func (addNoise) trainingOnly() {}

func (s addNoise) Apply(dst, src []float32, d Draw) {
	for i := 0; i < len(src); i += 4 {
		for k, e := range philox.Normals(d.Block(i / 4)) {
			if i+k == len(src) {
				return
			}
			dst[i+k] = src[i+k] + float32(s.sigma*e)
		}
	}
}

func (addNoise) draws() {}

// Ops may round the product and the sum at once.
func (s addNoise) Ops(x graph.Value, d OpDraw) (graph.Value, error) {
	return op.Add(x, op.Scale(d.normal(x.Shape()...), float64(s.sigma))), nil
}
