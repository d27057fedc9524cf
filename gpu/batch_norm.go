//go:build gpu

package gpu

import (
	"aetrain/graph"
	"aetrain/kernels"
	"aetrain/op"
)

// channels is how batch norm's kernels see a value, and how its channels are shared out (kernels/cuda/norm.cuh).
type channels struct {
	channels, count int // count: units of a channel
	inner           int // units
	shift           int // a block owns 2^shift channels
	parts, per      int
	quads           int
	block           int
}

// channelsOf shares out x: a block a channel, or the columns of a few; with split in parts.
func channelsOf(s graph.Shape, split bool) channels {
	k := channels{channels: s[1], inner: s[2:].Size(), parts: 1}
	switch {
	case k.inner%4 == 0:
		k.inner, k.quads = k.inner/4, 1
	case k.inner == 1 && k.channels >= 4096:
		k.shift = 5
	case k.inner == 1:
		k.shift = min(3, log2(k.channels))
	}
	k.count = s[0] * k.inner
	if split {
		least := 256 << (1 - k.quads) // units of a part
		k.parts = max(1, min(2*wantedBlocks/k.tiles(), k.count/least))
	}
	k.per = blocks(k.count, k.parts)
	k.parts = blocks(k.count, k.per)
	k.block = 1 << max(5, min(9, k.shift+log2(k.per)))
	return k
}

func (k channels) tiles() int { return blocks(k.channels, 1<<k.shift) }

func (k channels) grid() [3]int { return line(k.tiles() * k.parts) }

// words are the kernels' Channels.
func (k channels) words() []int32 {
	return []int32{int32(k.channels), int32(k.count), int32(k.shift), int32(k.parts), int32(k.per), int32(k.quads)}
}

// oneLaunch fits where a block a channel fills the device, or where channels are so short that a second launch costs more.
func oneLaunch(c kernels.Case) bool {
	k := channelsOf(c.In[0].Shape, false)
	return k.tiles() >= wantedBlocks/2 || k.count<<(k.shift+2*k.quads) <= 16384
}

func twoLaunches(c kernels.Case) bool { return !oneLaunch(c) }

// bindBatchNorm computes mean, variance and y = gamma·(x - mean)/√(variance + eps) + beta in one launch.
func bindBatchNorm(b *binder, s *step) error {
	k, err := batchNormSize(s, false)
	if err != nil {
		return err
	}
	b.kernel("batch_norm", k.grid(), line(k.block), 0,
		s.in[0], s.in[1], s.in[2], s.out[0], s.out[1], s.out[2], k.words(), divisor(k.inner), float32(s.Op.(op.BatchNormalization).Eps))
	return nil
}

// bindBatchNormSplit is the same in two launches: statistics of parts, then the result.
func bindBatchNormSplit(b *binder, s *step) error {
	k, err := batchNormSize(s, true)
	if err != nil {
		return err
	}
	parts := b.scratch(graph.Float32, 2*k.channels*k.parts)
	b.kernel("batch_norm_parts", k.grid(), line(k.block), 0, s.in[0], parts, k.words(), divisor(k.inner))
	b.kernel("batch_norm_apply", k.grid(), line(k.block), 0,
		s.in[0], s.in[1], s.in[2], parts, s.out[0], s.out[1], s.out[2], k.words(), divisor(k.inner), float32(s.Op.(op.BatchNormalization).Eps))
	return nil
}

// bindBatchNormGrad computes, with x̂ = (x - mean)·rstd and n elements a channel,
//
//	dbeta = Σ dy,  dgamma = Σ dy·x̂,  dx = gamma·rstd·(dy - dbeta/n - x̂·dgamma/n)
//
// in one launch.
func bindBatchNormGrad(b *binder, s *step) error {
	k, err := batchNormSize(s, false)
	if err != nil {
		return err
	}
	b.kernel("batch_norm_grad", k.grid(), line(k.block), 0,
		s.in[0], s.in[1], s.in[2], s.in[3], s.in[4], s.out[0], s.out[1], s.out[2], k.words(), divisor(k.inner), float32(s.Op.(op.BatchNormGrad).Eps))
	return nil
}

// bindBatchNormGradSplit is the same in two launches: sums of parts, then the result.
func bindBatchNormGradSplit(b *binder, s *step) error {
	k, err := batchNormSize(s, true)
	if err != nil {
		return err
	}
	parts := b.scratch(graph.Float32, 2*k.channels*k.parts)
	b.kernel("batch_norm_grad_parts", k.grid(), line(k.block), 0, s.in[0], s.in[2], s.in[3], parts, k.words(), divisor(k.inner))
	b.kernel("batch_norm_grad_apply", k.grid(), line(k.block), 0,
		s.in[0], s.in[1], s.in[2], s.in[3], s.in[4], parts, s.out[0], s.out[1], s.out[2], k.words(), divisor(k.inner), float32(s.Op.(op.BatchNormGrad).Eps))
	return nil
}

func batchNormSize(s *step, split bool) (channels, error) {
	return channelsOf(s.Case.In[0].Shape, split), size32(s.Op.Name(), s.in[0].size)
}
