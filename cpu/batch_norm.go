package cpu

import (
	"math"

	"aetrain/graph"
	"aetrain/op"
)

// Batch norm works on x as n×c×inner. Where planes are large, a task owns channels and walks over their planes, which stay in its
// cache from the statistics to the result. Where inner is 1 (matrices) or small, a task owns columns of x as a matrix n×(c·inner):
// whole channels of them, so that a vector holds several planes. Sums follow the order of memory in pieces of float32 that are added
// up in float64 (planes) or in blocks of rows and then over a channel's columns, whatever the number of threads.

// channels is a shape seen by its second axis.
type channels struct{ n, c, inner int }

func channelsOf(s graph.Shape) channels { return channels{s[0], s[1], s[2:].Size()} }

// count is the number of elements of a channel.
func (d channels) count() int { return d.n * d.inner }

// plane is image n's part of channel c.
func (d channels) plane(x []float32, n, c int) []float32 {
	at := (n*d.c + c) * d.inner
	return x[at : at+d.inner : at+d.inner]
}

// optional gives an output that nobody reads memory of its own.
func optional(m memory, n int) []float32 {
	if m.size == 0 {
		return alloc(n)
	}
	return m.f32
}

const (
	// columnBlock is how many columns a task owns at most: a few cache lines of each row.
	columnBlock = 128
	// largestColumns is the largest plane that is taken as columns.
	largestColumns = columnBlock
)

// narrow says that planes are columns.
func (d channels) narrow() bool { return d.inner <= largestColumns }

// columnTasks shares out channels as columns.
func (b *binder) columnTasks(d channels, run func(w *worker, from, to int)) {
	per := columnBlock / max(1, d.inner)
	if d.inner == 1 {
		per = columnBlock / 2 // matrices have few columns
	}
	b.phase((d.c+per-1)/per, func(w *worker, task int) { run(w, task*per, min(d.c, (task+1)*per)) })
}

// columns are those of some channels.
type columns struct{ at, n, pitch int }

// columns are those of the channels from to to.
func (d channels) columns(from, to int) columns {
	return columns{from * d.inner, (to - from) * d.inner, d.c * d.inner}
}

// row is row i of x.
func (c columns) row(x []float32, i int) []float32 {
	at := i*c.pitch + c.at
	return x[at : at+c.n : at+c.n]
}

// foldColumns adds up the columns of each channel and multiplies by scale.
func foldColumns(dst, columns []float32, scale float64) {
	inner := len(columns) / len(dst)
	for c := range dst {
		sum := 0.0
		for _, x := range columns[c*inner : (c+1)*inner] {
			sum += float64(x)
		}
		dst[c] = float32(sum * scale)
	}
}

// spreadColumns gives the columns of each channel its number.
func spreadColumns(columns, src []float32) {
	inner := len(columns) / len(src)
	for c, x := range src {
		vecFill(columns[c*inner:(c+1)*inner], x)
	}
}

// bindBatchNorm computes mean, variance and y = gamma·(x - mean)/√(variance + eps) + beta.
func bindBatchNorm(b *binder, s *step) error {
	d, eps := channelsOf(s.Case.In[0].Shape), s.Op.(op.BatchNormalization).Eps
	k := batchNorm{
		channels: d, binder: b, eps: eps, x: s.in[0].f32, gamma: s.in[1].f32, beta: s.in[2].f32,
		y: s.out[0].f32, mean: optional(s.out[1], d.c), variance: optional(s.out[2], d.c), chain: s.chain,
	}
	if d.narrow() {
		b.scratch(5 * columnBlock)
		b.columnTasks(d, k.narrowChannels)
		return nil
	}
	b.scratch(blockSize)
	b.items(d.c, 4*d.count(), func(w *worker, from, to int) {
		for c := from; c < to; c++ {
			k.wideChannel(w, c)
		}
	})
	return nil
}

type batchNorm struct {
	channels
	*binder
	eps                               float64
	x, gamma, beta, y, mean, variance []float32
	chain                             *chain
}

// farMean is how many variances the square of the distance between a channel's mean and that of its first plane may be, for the
// sums around the latter to give the variance.
const farMean = 16

// wideChannel does one channel: its statistics around the mean of its first plane, in one pass, then the result.
func (k *batchNorm) wideChannel(w *worker, c int) {
	v, count := k.b.vec, float64(k.count())
	near := k.b.vec.Sum(k.plane(k.x, 0, c)) / float32(k.inner)
	sum, squares := k.around(w, c, near)
	off := sum / count
	mean, variance := float32(float64(near)+off), squares/count-off*off
	if !(off*off <= farMean*variance) {
		_, squares = k.around(w, c, mean)
		variance = squares / count
	}
	k.mean[c], k.variance[c] = mean, float32(variance)
	scale := float32(float64(k.gamma[c]) / math.Sqrt(variance+k.eps))
	for n := range k.n {
		v.Centred(k.plane(k.y, n, c), k.plane(k.x, n, c), mean, scale, k.beta[c])
		if k.chain != nil {
			k.chain.run(w, (n*k.c+c)*k.inner, k.inner)
		}
	}
}

// around returns the sums of a channel's distances from a number and of their squares.
func (k *batchNorm) around(w *worker, c int, number float32) (sum, squares float64) {
	v := k.b.vec
	for n := range k.n {
		for x := k.plane(k.x, n, c); len(x) > 0; {
			t := w.local[:min(len(x), blockSize)]
			v.AddS(t, x[:len(t)], -number)
			sum += float64(v.Sum(t))
			squares += float64(v.SumSquares(t))
			x = x[len(t):]
		}
	}
	return sum, squares
}

// narrowChannels does the channels from to to by columns.
func (k *batchNorm) narrowChannels(w *worker, from, to int) {
	v, c := k.b.vec, k.columns(from, to)
	local := w.local
	mean, scale, shift := cut(&local, c.n), cut(&local, c.n), cut(&local, c.n)
	t, block := cut(&local, c.n), cut(&local, c.n)
	clear(mean)
	v.ColumnSum(mean, k.x[c.at:], k.n, c.pitch)
	foldColumns(k.mean[from:to], mean, 1/float64(k.count()))
	spreadColumns(mean, k.mean[from:to])
	squares := scale
	clear(squares)
	for r := 0; r < k.n; r += 64 {
		clear(block)
		for i := r; i < min(k.n, r+64); i++ {
			v.Sub(t, c.row(k.x, i), mean)
			v.MulAdd(block, t, t, block)
		}
		v.Add(squares, squares, block)
	}
	foldColumns(k.variance[from:to], squares, 1/float64(k.count()))
	spreadColumns(scale, k.variance[from:to])
	v.AddS(scale, scale, float32(k.eps))
	v.Rsqrt(scale, scale)
	spreadColumns(t, k.gamma[from:to])
	v.Mul(scale, scale, t)
	spreadColumns(shift, k.beta[from:to])
	for i := range k.n {
		v.Sub(t, c.row(k.x, i), mean)
		v.MulAdd(c.row(k.y, i), t, scale, shift)
		if k.chain != nil {
			k.chain.run(w, i*c.pitch+c.at, c.n)
		}
	}
}
