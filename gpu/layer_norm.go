//go:build gpu

package gpu

import (
	"aetrain/graph"
	"aetrain/op"
)

// bindLayerNorm normalises each row: mean, variance around it, result, in one launch.
func bindLayerNorm(b *binder, s *step) error {
	if err := size32("LayerNorm", s.in[0].size); err != nil {
		return err
	}
	shape := s.Case.In[0].Shape
	n := shape[len(shape)-1]
	rows := shape.Size() / n
	g := groupOf(rows, unitsOf(n))
	b.kernel("layer_norm", g.grid(rows), line(g.block), 0,
		s.in[0], s.in[1], s.in[2], s.out[0], s.out[1], s.out[2], rows, n, float32(s.Op.(op.LayerNormalization).Eps), g.shift)
	return nil
}

// Blocks of layer_norm_grad: threads, and columns of those that add up dgamma and dbeta.
const (
	layerNormGradThreads = 512
	layerNormGradTile    = 32
)

// bindLayerNormGrad computes, with x̂ = (x - mean)·rstd, g = dy·gamma and M the mean over a row,
//
//	dx = rstd·(g - M(g) - x̂·M(g·x̂)),  dgamma = Σ dy·x̂,  dbeta = Σ dy
//
// in one launch, some blocks for dx and others for the sums over rows; a second one joins the sums where rows are many.
func bindLayerNormGrad(b *binder, s *step) error {
	if err := size32("LayerNormGrad", s.in[0].size); err != nil {
		return err
	}
	shape := s.Case.In[0].Shape
	n := shape[len(shape)-1]
	rows := shape.Size() / n
	g := group{shift: min(5, log2(n)), block: layerNormGradThreads}
	if n > 1024 || n > 128 && rows < 4096 {
		g.shift = log2(layerNormGradThreads)
	}
	rowBlocks := g.grid(rows)[0]
	tiles, parts := blocks(n, layerNormGradTile), 1
	dGamma, dBeta := s.out[1], s.out[2]
	if wanted := dGamma.size+dBeta.size > 0; wanted {
		parts = max(1, min(wantedBlocks/tiles, rows/128, 64))
	} else {
		tiles = 0
	}
	per := blocks(rows, parts)
	parts = blocks(rows, per)
	toGamma, toBeta := dGamma, dBeta
	joined := tiles > 0 && (parts > 1 || dGamma.size == 0 || dBeta.size == 0)
	if joined {
		toGamma = b.scratch(graph.Float32, parts*2*n)
		toBeta = toGamma.at(n)
	}
	b.kernel("layer_norm_grad", line(rowBlocks+tiles*parts), line(layerNormGradThreads), 0,
		s.in[0], s.in[1], s.in[2], s.in[3], s.in[4], s.out[0], toGamma, toBeta, rows, n, float32(s.Op.(op.LayerNormGrad).Eps), g.shift, rowBlocks, per)
	if joined {
		const block = 128
		b.kernel("layer_norm_grad_join", line(blocks(2*n, block)), line(block), 0, toGamma, dGamma, dBeta, parts, n)
	}
	return nil
}
