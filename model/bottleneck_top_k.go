package model

import (
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

func init() {
	Bottlenecks.Add("top-k", func() Bottleneck { return &TopK{Dictionary: newDictionary(), K: 32} })
}

// TopK is a sparse code: of the rectified projection to latent_dim units the k largest of each example stay, the others are 0.
// Source: Makhzani & Frey 2014, "k-Sparse Autoencoders", section 2; Gao et al. 2024, "Scaling and evaluating sparse
// autoencoders", eq. 3-4.
type TopK struct {
	Dictionary
	K int `toml:"k" min:"1" doc:"units of an example that stay active"`
}

// Check refuses more active units than there are.
func (b *TopK) Check(m *Model) error { return b.checkUnits(m, b.K) }

// Encode projects and selects.
func (b *TopK) Encode(s *nn.Scope, h graph.Value, latentDim int) Latent {
	pre := b.preactivation(s, h, latentDim)
	z := op.Mul(op.ReLU(pre), topOf(pre, min(b.K, latentDim)))
	return b.latent(s, watched{z: z, pre: pre})
}
