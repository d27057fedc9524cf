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
	if d.narrow() {
		b.scratch(6 * columnBlock)
		b.columnTasks(d, k.narrowChannels)
		return nil
	}
	b.scratch(blockSize)
	b.items(d.c, 6*d.count(), func(w *worker, from, to int) {
		for c := from; c < to; c++ {
			k.wideChannel(w, c)
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

// wideChannel does one channel: its sums in one pass, then the result.
func (k *batchNormGrad) wideChannel(w *worker, c int) {
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
		v.CentredPlus(k.plane(k.dx, n, c), k.plane(k.x, n, c), k.plane(k.dy, n, c), mean, ofX, constant, ofDY)
	}
}

// narrowChannels does the channels from to to by columns.
func (k *batchNormGrad) narrowChannels(w *worker, from, to int) {
	v, c := k.b.vec, k.columns(from, to)
	dGamma, dBeta, count := k.dGamma[from:to], k.dBeta[from:to], float64(k.count())
	local := w.local
	mean, slope, shift, a := cut(&local, c.n), cut(&local, c.n), cut(&local, c.n), cut(&local, c.n)
	t, block := cut(&local, c.n), cut(&local, c.n)
	spreadColumns(mean, k.mean[from:to])
	sum, product := shift, slope
	clear(sum)
	v.ColumnSum(sum, k.dy[c.at:], k.n, c.pitch)
	clear(product)
	for r := 0; r < k.n; r += 64 {
		clear(block)
		for i := r; i < min(k.n, r+64); i++ {
			v.Sub(t, c.row(k.x, i), mean)
			v.MulAdd(block, t, c.row(k.dy, i), block)
		}
		v.Add(product, product, block)
	}
	foldColumns(dBeta, sum, 1)
	foldColumns(dGamma, product, 1)
	// dx = slope·(x-mean) + shift + a·dy with a = gamma·rstd, shift = -a·dbeta/n, slope = -a·rstd·dgamma/n
	per := c.n / (to - from)
	for i := range dGamma {
		rstd := 1 / math.Sqrt(float64(k.variance[from+i])+k.eps)
		dGamma[i] = float32(float64(dGamma[i]) * rstd)
		scale := float64(k.gamma[from+i]) * rstd
		vecFill(a[i*per:(i+1)*per], float32(scale))
		vecFill(shift[i*per:(i+1)*per], float32(-scale*float64(dBeta[i])/count))
		vecFill(slope[i*per:(i+1)*per], float32(-scale*rstd*float64(dGamma[i])/count))
	}
	for i := range k.n {
		dx := c.row(k.dx, i)
		v.Sub(t, c.row(k.x, i), mean)
		v.MulAdd(t, t, slope, shift)
		v.MulAdd(dx, a, c.row(k.dy, i), t)
	}
}
