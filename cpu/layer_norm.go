package cpu

import (
	"math"

	"aetrain/op"
)

// bindLayerNorm normalises each row in cache: mean, variance around it, result.
func bindLayerNorm(b *binder, s *step) error {
	shape, eps := s.Case.In[0].Shape, s.Op.(op.LayerNormalization).Eps
	d := shape[len(shape)-1]
	rows := shape.Size() / d
	x, gamma, beta, y := s.in[0].f32, s.in[1].f32, s.in[2].f32, s.out[0].f32
	mean, variance := optional(s.out[1], rows), optional(s.out[2], rows)
	v := b.b.vec
	b.items(rows, 4*d, func(w *worker, from, to int) {
		for r := from; r < to; r++ {
			xr, yr := x[r*d:(r+1)*d], y[r*d:(r+1)*d]
			m := v.Sum(xr) / float32(d)
			v.AddS(yr, xr, -m)
			sigma2 := v.SumSquares(yr) / float32(d)
			mean[r], variance[r] = m, sigma2
			v.MulS(yr, yr, float32(1/math.Sqrt(float64(sigma2)+eps)))
			v.MulAdd(yr, yr, gamma, beta)
			if s.chain != nil {
				s.chain.run(w, r*d, d)
			}
		}
	}).separate()
	return nil
}

// layerNormRows is how many rows a task of the gradient has at least, and a block of them: each leaves partial sums of dgamma and dbeta.
const layerNormRows = 32

// bindLayerNormGrad computes, with x̂ = (x - mean)·rstd, g = dy·gamma and M the mean over a row,
//
//	dx = rstd·(g - M(g) - x̂·M(g·x̂)),  dgamma = Σ dy·x̂,  dbeta = Σ dy
//
// The parameters' gradients are summed over blocks of rows, over a task's blocks and then over the tasks, in order: thousands of rows
// in one sum would lose digits.
func bindLayerNormGrad(b *binder, s *step) error {
	shape, eps := s.Case.In[0].Shape, s.Op.(op.LayerNormGrad).Eps
	d := shape[len(shape)-1]
	rows := shape.Size() / d
	x, gamma, dy, mean, variance := s.in[0].f32, s.in[1].f32, s.in[2].f32, s.in[3].f32, s.in[4].f32
	dx, dGamma, dBeta := s.out[0].f32, optional(s.out[1], d), optional(s.out[2], d)
	v := b.b.vec
	per := max(layerNormRows, taskSize/(6*d), (rows+63)/64) // at most 64 tasks
	tasks := (rows + per - 1) / per
	parts := alloc(tasks * 2 * d)
	b.scratch(4 * d)
	b.phase(tasks, func(w *worker, task int) {
		partGamma, partBeta := parts[task*d:(task+1)*d], parts[(tasks+task)*d:(tasks+task+1)*d]
		xHat, g, blockGamma, blockBeta := w.local[:d], w.local[d:2*d], w.local[2*d:3*d], w.local[3*d:4*d]
		clear(partGamma)
		clear(partBeta)
		clear(blockGamma)
		clear(blockBeta)
		end := min(rows, (task+1)*per)
		for r := task * per; r < end; r++ {
			rstd := float32(1 / math.Sqrt(float64(variance[r])+eps))
			dyr, dxr := dy[r*d:(r+1)*d], dx[r*d:(r+1)*d]
			v.AddS(xHat, x[r*d:(r+1)*d], -mean[r])
			v.MulS(xHat, xHat, rstd)
			v.MulAdd(blockGamma, dyr, xHat, blockGamma)
			v.Add(blockBeta, blockBeta, dyr)
			if (r+1-task*per)%layerNormRows == 0 || r+1 == end {
				v.Add(partGamma, partGamma, blockGamma)
				v.Add(partBeta, partBeta, blockBeta)
				clear(blockGamma)
				clear(blockBeta)
			}
			v.Mul(g, dyr, gamma)
			meanG, meanGX := v.Sum(g)/float32(d), v.Dot(g, xHat)/float32(d)
			v.Affine(xHat, xHat, -meanGX, -meanG)
			v.Add(dxr, g, xHat)
			v.MulS(dxr, dxr, rstd)
		}
	})
	b.phase(2, func(_ *worker, task int) {
		dst, src := dGamma, parts[:tasks*d]
		if task == 1 {
			dst, src = dBeta, parts[tasks*d:]
		}
		v.SumBlocks(dst, src, tasks)
	})
	return nil
}
