package model

import (
	"fmt"

	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

func init() { Bottlenecks.Add("vq", func() Bottleneck { return &VQ{Codebook: newCodebook()} }) }

// VQ is the bottleneck of a vector-quantised autoencoder: the vector at each position of the encoder's output, projected to
// latent_dim numbers (encoder.code: a 1×1 convolution on maps, whose size is kept), becomes the nearest entry of a codebook
// (encoder.codebook). Gradients pass straight through. encode gives the indices, too.
// Source: van den Oord, Vinyals & Kavukcuoglu 2017, "Neural Discrete Representation Learning", section 3.
type VQ struct{ Codebook }

// Code is the encoder's output with latentDim channels.
func (b *VQ) Code(h graph.Shape, latentDim int) (graph.Shape, error) {
	if latentDim == 0 {
		return h, nil
	}
	return withChannels(h, latentDim), nil
}

// Encode projects and quantises.
func (b *VQ) Encode(s *nn.Scope, h graph.Value, latentDim int) Latent {
	return b.encode(s, h, latentDim, 1)
}

// Reverse leads back to h.
func (b *VQ) Reverse(h graph.Shape, latentDim int, tied string) []nn.Layer {
	return reverseEach(h, latentDim, b.Init, tied, "code")
}

// encode quantises levels times, each what the levels before have left.
func (b *VQ) encode(s *nn.Scope, h graph.Value, latentDim, levels int) Latent {
	z := projectEach(s, "code", h, latentDim, b.Init)
	code := z.Shape()[1:]
	left := toRows(z)
	var qs []quantised
	var lefts, codes, indices []graph.Value
	for level := range levels {
		var q quantised
		b.atLevel(s, level, levels, func(s *nn.Scope) graph.Value {
			q = b.quantise(s, left)
			return q.code
		})
		qs, lefts, codes, indices = append(qs, q), append(lefts, left), append(codes, q.code), append(indices, q.index)
		left = op.Sub(left, op.Stop(q.code))
	}
	rows := toRows(z)
	sum := op.StraightThrough(op.Stop(graph.SumOf(codes...)), rows)
	return Latent{
		Z:       fromRows(sum, h.Dim(0), code),
		Outputs: map[string]graph.Value{"indices": indexOutput(indices, h.Dim(0), positionsOf(code))},
		Terms:   func(_ *nn.Scope, f *Forward) []Term { return b.terms(f, z, qs, lefts) },
	}
}

// indexOutput gives indices the axes of their positions, and one for the levels where there are several: N×...
func indexOutput(indices []graph.Value, n int, positions graph.Shape) graph.Value {
	dims := append([]int{n}, positions...)
	if len(indices) == 1 {
		return op.Reshape(indices[0], dims...)
	}
	each := make([]graph.Value, len(indices))
	for i, at := range indices {
		each[i] = op.Reshape(at, append(append([]int{}, dims...), 1)...)
	}
	return op.Concat(len(dims), each...)
}

// Start runs k-means on the vectors that are to be quantised.
func (b *VQ) Start(s *nn.Scope, h graph.Value, latentDim int, p Pass) {
	b.startLevels(s, h, latentDim, 1, p)
}

func (b *VQ) startLevels(s *nn.Scope, h graph.Value, latentDim, levels int, p Pass) {
	left := toRows(projectEach(s, "code", h, latentDim, b.Init))
	for level := range levels {
		b.atLevel(s, level, levels, func(s *nn.Scope) graph.Value {
			left = op.Sub(left, b.start(s, left, p))
			return left
		})
	}
}

// atLevel builds in the scope of a codebook: the encoder's own where there is one only.
func (b *VQ) atLevel(s *nn.Scope, level, levels int, build func(*nn.Scope) graph.Value) graph.Value {
	if levels == 1 {
		return build(s)
	}
	return s.Within(fmt.Sprintf("level%d", level), build)
}
