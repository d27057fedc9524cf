package model

import (
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

func init() {
	Bottlenecks.Add("batch-top-k", func() Bottleneck { return &BatchTopK{TopK{Dictionary: newDictionary(), K: 32}} })
}

// BatchTopK is a sparse code with k active units an example on the batch's mean: in training the N·k largest of the whole batch
// stay. Elsewhere those above encoder.threshold do, the running mean of the smallest that stayed.
// Source: Bussmann, Leask & Nanda 2024, "BatchTopK Sparse Autoencoders", sections 3 and 3.1.
type BatchTopK struct{ TopK }

// Encode projects and selects.
func (b *BatchTopK) Encode(s *nn.Scope, h graph.Value, latentDim int) Latent {
	g := s.Graph()
	pre := b.preactivation(s, h, latentDim)
	z := op.ReLU(pre)
	threshold := s.Buffer("threshold", nil, graph.F32())
	least := threshold
	if s.Training() {
		all := op.Reshape(op.Stop(z), 1, z.Shape().Size())
		size, stay := all.Dim(1), min(b.K, latentDim)*z.Dim(0)
		at := op.Slice(op.ArgSort(all), 1, size-stay, size-stay+1)
		least = op.Reshape(op.Gather(op.Reshape(all, size), at))
		const kept = 0.99
		running := op.Add(op.Scale(threshold, kept), op.Scale(least, 1-kept))
		s.Assign(threshold, op.Select(op.Greater(threshold, g.Scalar(0)), running, least))
	}
	stays := op.Mul(op.GreaterEqual(op.Stop(z), least), op.Greater(op.Stop(z), g.Scalar(0)))
	return b.latent(s, watched{z: op.Mul(z, stays), pre: pre})
}
