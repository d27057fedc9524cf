package cpu

import (
	"math"

	"aetrain/graph"
	"aetrain/op"
)

// Batch norm works on x as n×c×inner. Where inner is large, a task owns channels and walks over their planes, which stay in its
// cache from the statistics to the result; where inner is 1 (matrices), a task owns columns. Sums follow the order of memory in
// pieces of float32 that are added up in float64 (planes) or in blocks of rows (columns), whatever the number of threads.

// channels is a shape seen by its second axis.
type channels struct{ n, c, inner int }

func channelsOf(s graph.Shape) channels { return channels{s[0], s[1], s[2:].Size()} }

// count is the number of elements of a channel.
func (d channels) count() int { return d.n * d.inner }

// optional gives an output that nobody reads memory of its own.
func optional(m memory, n int) []float32 {
	if m.size == 0 {
		return alloc(n)
	}
	return m.f32
}

// columnBlock is how many columns a task owns at most: a few cache lines of each row.
const columnBlock = 64

// columnTasks shares out c columns.
func (b *binder) columnTasks(c int, run func(w *worker, from, to int)) {
	b.phase((c+columnBlock-1)/columnBlock, func(w *worker, task int) { run(w, task*columnBlock, min(c, (task+1)*columnBlock)) })
}

// bindBatchNorm computes mean, variance and y = gamma·(x - mean)/√(variance + eps) + beta.
func bindBatchNorm(b *binder, s *step) error {
	d, eps := channelsOf(s.Case.In[0].Shape), s.Op.(op.BatchNormalization).Eps
	k := batchNorm{
		channels: d, binder: b, eps: eps, x: s.in[0].f32, gamma: s.in[1].f32, beta: s.in[2].f32,
		y: s.out[0].f32, mean: optional(s.out[1], d.c), variance: optional(s.out[2], d.c),
	}
	if d.inner == 1 {
		b.scratch(4 * columnBlock)
		b.columnTasks(d.c, k.columns)
		return nil
	}
	b.scratch(blockSize)
	b.items(d.c, 4*d.count(), func(w *worker, from, to int) {
		for c := from; c < to; c++ {
			k.planes(w, c)
		}
	})
	return nil
}

type batchNorm struct {
	channels
	*binder
	eps                               float64
	x, gamma, beta, y, mean, variance []float32
}

// planes does one channel: mean, then the variance around it, then the result.
func (k *batchNorm) planes(w *worker, c int) {
	v := k.b.vec
	sum := 0.0
	for n := range k.n {
		sum += float64(v.Sum(k.plane(k.x, n, c)))
	}
	mean := float32(sum / float64(k.count()))
	sum = 0
	for n := range k.n {
		for x := k.plane(k.x, n, c); len(x) > 0; {
			t := w.local[:min(len(x), blockSize)]
			v.AddS(t, x[:len(t)], -mean)
			sum += float64(v.SumSquares(t))
			x = x[len(t):]
		}
	}
	variance := sum / float64(k.count())
	k.mean[c], k.variance[c] = mean, float32(variance)
	scale := float32(float64(k.gamma[c]) / math.Sqrt(variance+k.eps))
	for n := range k.n {
		y := k.plane(k.y, n, c)
		v.AddS(y, k.plane(k.x, n, c), -mean)
		v.Affine(y, y, scale, k.beta[c])
	}
}

// plane is image n's part of channel c.
func (d channels) plane(x []float32, n, c int) []float32 {
	at := (n*d.c + c) * d.inner
	return x[at : at+d.inner : at+d.inner]
}

// columns does the columns from to to of a matrix, all rows of them.
func (k *batchNorm) columns(w *worker, from, to int) {
	v, m := k.b.vec, to-from
	mean, variance := k.mean[from:to], k.variance[from:to]
	t, block, scale := w.local[:m], w.local[columnBlock:][:m], w.local[2*columnBlock:][:m]
	clear(mean)
	v.ColumnSum(mean, k.x[from:], k.n, k.c)
	v.MulS(mean, mean, 1/float32(k.n))
	clear(variance)
	for r := 0; r < k.n; r += 64 {
		clear(block)
		for i := r; i < min(k.n, r+64); i++ {
			v.Sub(t, k.x[i*k.c+from:i*k.c+to], mean)
			v.MulAdd(block, t, t, block)
		}
		v.Add(variance, variance, block)
	}
	v.MulS(variance, variance, 1/float32(k.n))
	v.AddS(scale, variance, float32(k.eps))
	v.Rsqrt(scale, scale)
	v.Mul(scale, scale, k.gamma[from:to])
	for i := range k.n {
		v.Sub(t, k.x[i*k.c+from:i*k.c+to], mean)
		v.MulAdd(k.y[i*k.c+from:i*k.c+to], t, scale, k.beta[from:to])
	}
}
