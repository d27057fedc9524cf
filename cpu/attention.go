package cpu

import (
	"math"

	"aetrain/cpu/gemm"
	"aetrain/op"
)

// Attention gives each task one head of one example: its scores stay in the cache from the product that makes them to the one that
// takes them. Queries, keys and values are read, and results are written, where they lie among the features of their times: nothing
// is transposed or copied.

// attention is what the forward and the backward kernel share.
type attention struct {
	heads, t, d, size int // features in all, and of a head
	causal            bool
	scale             float32
	mask              []float32 // N×T; nil: all are seen
}

func newAttention(o op.SelfAttention, t, d int, mask []memory) attention {
	a := attention{heads: o.Heads, t: t, d: d, size: d / o.Heads, causal: o.Causal, scale: float32(1 / math.Sqrt(float64(d/o.Heads)))}
	if len(mask) > 0 {
		a.mask = mask[0].f32
	}
	return a
}

// row is the distance of one time from the next among queries, keys and values.
func (a *attention) row() int { return 3 * a.d }

// places are where a task's queries begin in N×T×3D (keys and values lie D and 2D behind), its results in N×T×D and its weights.
func (a *attention) places(task int) (qkv, y, weights int) {
	n, head := task/a.heads, task%a.heads
	return n*a.t*a.row() + head*a.size, n*a.t*a.d + head*a.size, task * a.t * a.t
}

// hide sets what time i must not see to a number, in the row of its scores.
func (a *attention) hide(row []float32, task, i int, x float32) {
	if a.mask != nil {
		for j, valid := range a.mask[task/a.heads*a.t:][:a.t] {
			if valid == 0 {
				row[j] = x
			}
		}
	}
	if a.causal {
		for j := i + 1; j < a.t; j++ {
			row[j] = x
		}
	}
}

// serial is a product inside of a task.
func (b *binder) serial(s gemm.Shape) *gemm.Plan {
	p := gemm.NewPlan(b.b.tier, s, gemm.Options{Serial: true})
	b.scratch(p.LocalFloats())
	return p
}

// bindAttention multiplies queries by keys, turns the scores into weights row by row, and multiplies them by the values.
func bindAttention(b *binder, s *step) error {
	shape := s.Case.Out[0].Shape
	n, t, d := shape[0], shape[1], shape[2]
	a := newAttention(s.Op.(op.SelfAttention), t, d, s.in[1:])
	scores := b.serial(gemm.Shape{M: t, N: t, K: a.size, TransB: true, LDA: a.row(), LDB: a.row()})
	values := b.serial(gemm.Shape{M: t, N: a.size, K: t, LDB: a.row(), LDC: d})
	local := max(scores.LocalFloats(), values.LocalFloats())
	b.scratch(local + t*t)
	qkv, y, weights, v := s.in[0].f32, s.out[0].f32, s.out[1].f32, b.b.vec
	calls := make([]gemm.Call, b.b.workers.count())
	b.phase(n*a.heads, func(w *worker, task int) {
		from, to, at := a.places(task)
		p := w.local[local : local+t*t]
		if len(weights) > 0 {
			p = weights[at : at+t*t]
		}
		c := &calls[w.id]
		c.A, c.B, c.C, c.Local = qkv[from:], qkv[from+d:], p, w.local
		scores.Do(0, c)
		for i := range t {
			row := p[i*t : (i+1)*t]
			a.hide(row, task, i, op.Unseen)
			v.Softmax(row, row, a.scale)
		}
		c.A, c.B, c.C = p, qkv[from+2*d:], y[to:]
		values.Do(0, c)
	})
	return nil
}

// bindAttentionGrad computes, with p the weights and dp = dy·vᵀ,
//
//	ds = p·(dp - Σ dp·p)·scale,  dq = ds·k,  dk = dsᵀ·q,  dv = pᵀ·dy
func bindAttentionGrad(b *binder, s *step) error {
	shape := s.Case.In[2].Shape
	n, t, d := shape[0], shape[1], shape[2]
	a := newAttention(op.SelfAttention(s.Op.(op.SelfAttentionGrad)), t, d, s.in[3:])
	row := a.row()
	toScores := b.serial(gemm.Shape{M: t, N: t, K: a.size, TransB: true, LDA: d, LDB: row})
	toQueries := b.serial(gemm.Shape{M: t, N: a.size, K: t, LDB: row, LDC: row})
	toKeys := b.serial(gemm.Shape{M: t, N: a.size, K: t, TransA: true, LDB: row, LDC: row})
	toValues := b.serial(gemm.Shape{M: t, N: a.size, K: t, TransA: true, LDB: d, LDC: row})
	local := max(toScores.LocalFloats(), toQueries.LocalFloats(), toKeys.LocalFloats(), toValues.LocalFloats())
	b.scratch(local + t*t)
	qkv, weights, dy, dqkv, v := s.in[0].f32, s.in[1].f32, s.in[2].f32, s.out[0].f32, b.b.vec
	calls := make([]gemm.Call, b.b.workers.count())
	b.phase(n*a.heads, func(w *worker, task int) {
		from, to, at := a.places(task)
		p, ds := weights[at:at+t*t], w.local[local:local+t*t]
		c := &calls[w.id]
		run := func(plan *gemm.Plan, A, B, C []float32) {
			c.A, c.B, c.C, c.Local = A, B, C, w.local
			plan.Do(0, c)
		}
		run(toValues, p, dy[to:], dqkv[from+2*d:])
		run(toScores, dy[to:], qkv[from+2*d:], ds)
		for i := range t {
			dsRow, pRow := ds[i*t:(i+1)*t], p[i*t:(i+1)*t]
			v.Affine(dsRow, dsRow, a.scale, -a.scale*v.Dot(dsRow, pRow))
			v.Mul(dsRow, dsRow, pRow)
			a.hide(dsRow, task, i, 0)
		}
		run(toQueries, ds, qkv[from+d:], dqkv[from:])
		run(toKeys, ds, qkv[from:], dqkv[from+d:])
	})
	return nil
}
