package model

import (
	"aetrain/graph"
	"aetrain/nn"
)

func init() {
	Bottlenecks.Add("residual-vq", func() Bottleneck { return &ResidualVQ{VQ: VQ{newCodebook()}, Levels: 4} })
}

// ResidualVQ quantises in several levels, each with a codebook of its own (encoder.level0.codebook, ...) for what the levels
// before have left over; the code is their sum. encode gives indices with one more axis, the levels.
// Source: Zeghidour et al. 2021, "SoundStream: An End-to-End Neural Audio Codec", section III-C, algorithm 1.
type ResidualVQ struct {
	VQ
	Levels int `toml:"levels" min:"1" max:"64" doc:"codebooks, one after the other"`
}

// Encode projects and quantises in all levels.
func (b *ResidualVQ) Encode(s *nn.Scope, h graph.Value, latentDim int) Latent {
	return b.encode(s, h, latentDim, b.Levels)
}

// Start runs k-means on what each level is left with.
func (b *ResidualVQ) Start(s *nn.Scope, h graph.Value, latentDim int, p Pass) {
	b.startLevels(s, h, latentDim, b.Levels, p)
}
