package cpu

import (
	"math"

	"aetrain/op"
)

// bindBatchNormGrad computes, with x̂ = (x - mean)·rstd and n elements a channel,
//
//	dbeta = Σ dy,  dgamma = Σ dy·x̂,  dx = gamma·rstd·(dy - dbeta/n - x̂·dgamma/n)
func bindBatchNormGrad(b *binder, s *step) error {
	d, eps := channelsOf(s.Case.In[0].Shape), s.Op.(op.BatchNormGrad).Eps
	k := batchNormGrad{
		channels: d, binder: b, eps: eps,
		x: s.in[0].f32, gamma: s.in[1].f32, dy: s.in[2].f32, mean: s.in[3].f32, variance: s.in[4].f32,
		dx: s.out[0].f32, dGamma: optional(s.out[1], d.c), dBeta: optional(s.out[2], d.c),
	}
	if d.inner == 1 {
		b.scratch(4 * columnBlock)
		b.columnTasks(d.c, k.columns)
		return nil
	}
	b.scratch(blockSize)
	b.items(d.c, 6*d.count(), func(w *worker, from, to int) {
		for c := from; c < to; c++ {
			k.planes(w, c)
		}
	})
	return nil
}

type batchNormGrad struct {
	channels
	*binder
	eps                                             float64
	x, gamma, dy, mean, variance, dx, dGamma, dBeta []float32
}

// planes does one channel.
func (k *batchNormGrad) planes(w *worker, c int) {
	v, mean := k.b.vec, k.mean[c]
	rstd := 1 / math.Sqrt(float64(k.variance[c])+k.eps)
	sum, product := 0.0, 0.0
	for n := range k.n {
		dy, x := k.plane(k.dy, n, c), k.plane(k.x, n, c)
		sum += float64(v.Sum(dy))
		for len(x) > 0 {
			t := w.local[:min(len(x), blockSize)]
			v.AddS(t, x[:len(t)], -mean)
			product += float64(v.Dot(t, dy[:len(t)]))
			x, dy = x[len(t):], dy[len(t):]
		}
	}
	k.dBeta[c], k.dGamma[c] = float32(sum), float32(product*rstd)
	count, a := float64(k.count()), float64(k.gamma[c])*rstd
	ofX, constant, ofDY := float32(-a*rstd*rstd*product/count), float32(-a*sum/count), float32(a)
	for n := range k.n {
		dx := k.plane(k.dx, n, c)
		v.AddS(dx, k.plane(k.x, n, c), -mean)
		v.Affine(dx, dx, ofX, constant)
		v.AXPY(dx, k.plane(k.dy, n, c), ofDY)
	}
}

// columns does the columns from to to of a matrix.
func (k *batchNormGrad) columns(w *worker, from, to int) {
	v, m := k.b.vec, to-from
	dGamma, dBeta, mean := k.dGamma[from:to], k.dBeta[from:to], k.mean[from:to]
	t, block, rstd := w.local[:m], w.local[columnBlock:][:m], w.local[2*columnBlock:][:m]
	row := func(x []float32, i int) []float32 { return x[i*k.c+from : i*k.c+to] }
	v.AddS(rstd, k.variance[from:to], float32(k.eps))
	v.Rsqrt(rstd, rstd)
	clear(dBeta)
	v.ColumnSum(dBeta, k.dy[from:], k.n, k.c)
	clear(dGamma)
	for r := 0; r < k.n; r += 64 {
		clear(block)
		for i := r; i < min(k.n, r+64); i++ {
			v.Sub(t, row(k.x, i), mean)
			v.MulAdd(block, t, row(k.dy, i), block)
		}
		v.Add(dGamma, dGamma, block)
	}
	v.Mul(dGamma, dGamma, rstd)
	// dx = (dy - dbeta/n - (x-mean)·slope)·a with slope = rstd·dgamma/n, a = gamma·rstd
	slope, a := block, w.local[3*columnBlock:][:m]
	v.Mul(slope, dGamma, rstd)
	v.MulS(slope, slope, -1/float32(k.n))
	v.Mul(a, rstd, k.gamma[from:to])
	shift := rstd
	v.MulS(shift, dBeta, -1/float32(k.n))
	for i := range k.n {
		dx := row(k.dx, i)
		v.Sub(t, row(k.x, i), mean)
		v.MulAdd(dx, t, slope, shift)
		v.Add(dx, dx, row(k.dy, i))
		v.Mul(dx, dx, a)
	}
}
