package cpu

import (
	"aetrain/cpu/gemm"
	"aetrain/cpu/vec"
)

// Recurrent ops walk through time with a few examples each task, which nobody waits for: no barrier between times, and the
// states and the recurrent weight stay in the cache. Inside a task each gate is a block of examples×H, so that one call of
// a vector kernel does all of it; what the gradient needs is stored that way.

// recurrence is what the kernels of all recurrent ops share.
type recurrence struct {
	n, t, h int
	rows    int // examples a task
	reverse bool
	same    bool      // the gates are the same at all times
	mask    []float32 // N×T; nil: all are valid
}

// newRecurrence decides how many examples a task has: as few as leave the product its tiles where examples are few.
func newRecurrence(n, t, h int, reverse bool, mask []memory) recurrence {
	r := recurrence{n: n, t: t, h: h, reverse: reverse, rows: recurrentRows}
	if n < 4*r.rows {
		r.rows = max(1, (n+3)/4)
	}
	if len(mask) > 0 {
		r.mask = mask[0].f32
	}
	return r
}

// recurrentRows is how many examples a task has at most.
const recurrentRows = 16

func (r *recurrence) tasks() int { return (r.n + r.rows - 1) / r.rows }

// block is the first example of a task, and how many there are.
func (r *recurrence) block(task int) (n0, rows int) {
	n0 = task * r.rows
	return n0, min(r.rows, r.n-n0)
}

// time is the k-th time on the way.
func (r *recurrence) time(k int) int {
	if r.reverse {
		return r.t - 1 - k
	}
	return k
}

// ahead tells kernels where the next time is; way is 1 forward, -1 back.
func (r *recurrence) ahead(way int) vec.Next {
	if r.reverse {
		way = -way
	}
	return vec.Next{Time: way, Stored: way * r.n * r.h}
}

// row is the place of time t of example n in an N×T×width value.
func (r *recurrence) row(n, t, width int) int { return (n*r.t + t) * width }

// stored is block b of time t for some examples in a T×blocks×N×H value, or spare where nobody wants it.
func (r *recurrence) stored(all, spare []float32, blocks, t, b, n0, rows int) []float32 {
	if all == nil {
		return spare
	}
	at := ((t*blocks+b)*r.n + n0) * r.h
	return all[at : at+rows*r.h]
}

// from is an N×T×H value from time t of example n on; nil where nobody wants it.
func (r *recurrence) from(all []float32, n, t int) []float32 {
	if all == nil {
		return nil
	}
	return all[r.row(n, t, r.h):]
}

// input is the input's part of all gates from the k-th time of example n on, and how far the next example's is.
func (r *recurrence) input(gates []float32, width, n, k int) (part []float32, step int) {
	t, times := r.time(k), r.t
	if r.same {
		t, times = 0, 1
	}
	return gates[(n*times+t)*width:], times * width
}

// state is the part of an N×H value that belongs to some examples.
func (r *recurrence) state(x []float32, n0, rows int) []float32 {
	return x[n0*r.h : (n0+rows)*r.h]
}

// put writes a block of time t to an N×T×H value.
func (r *recurrence) put(dst, block []float32, n0, rows, t int) {
	if dst == nil {
		return
	}
	for i := range rows {
		copy(dst[r.row(n0+i, t, r.h):], block[i*r.h:(i+1)*r.h])
	}
}

// putGates writes the gates' blocks of time t side by side to an N×T×len(blocks)·H value.
func (r *recurrence) putGates(dst []float32, blocks [][]float32, n0, rows, t int) {
	if dst == nil {
		return
	}
	for i := range rows {
		at := r.row(n0+i, t, len(blocks)*r.h)
		for g, x := range blocks {
			copy(dst[at+g*r.h:], x[i*r.h:(i+1)*r.h])
		}
	}
}

// valid reports whether example n counts at time t.
func (r *recurrence) valid(n, t int) bool { return r.mask == nil || r.mask[n*r.t+t] != 0 }

// keepMasked copies the rows of old that the mask hides at time t over new ones.
func (r *recurrence) keepMasked(new, old []float32, n0, rows, t int) {
	if r.mask == nil {
		return
	}
	for i := range rows {
		if !r.valid(n0+i, t) {
			copy(new[i*r.h:(i+1)*r.h], old[i*r.h:])
		}
	}
}

// clearMasked zeroes the rows that the mask hides at time t.
func (r *recurrence) clearMasked(block []float32, n0, rows, t int) {
	if r.mask == nil {
		return
	}
	for i := range rows {
		if !r.valid(n0+i, t) {
			clear(block[i*r.h : (i+1)*r.h])
		}
	}
}

// gateInput gives the gates' blocks their input's part at the k-th time: gates of N×T×len(dst)·H, plus bias. base keeps the sums where
// they are the same at all times. Rows go first: what is far apart in memory is read in as long pieces as there are.
func (r *recurrence) gateInput(b *Backend, dst, base [][]float32, gates, bias []float32, n0, rows, k int) {
	if r.same && k > 0 {
		for g := range dst {
			copy(dst[g], base[g])
		}
		return
	}
	t, times := r.time(k), r.t
	if r.same {
		t, times = 0, 1
	}
	for i := range rows {
		at := ((n0+i)*times + t) * len(dst) * r.h
		for g := range dst {
			b.vec.Add(dst[g][i*r.h:(i+1)*r.h], gates[at+g*r.h:at+(g+1)*r.h], bias[g*r.h:(g+1)*r.h])
		}
	}
	if r.same {
		for g := range dst {
			copy(base[g], dst[g])
		}
	}
}

// addSequence adds time t of an N×T×H value.
func (r *recurrence) addSequence(b *Backend, dst, seq []float32, n0, rows, t int) {
	if seq == nil {
		return
	}
	for i := range rows {
		at := r.row(n0+i, t, r.h)
		b.vec.Add(dst[i*r.h:(i+1)*r.h], dst[i*r.h:(i+1)*r.h], seq[at:at+r.h])
	}
}

// cut takes n floats from the front of a worker's scratch.
func cut(local *[]float32, n int) []float32 {
	piece := (*local)[:n:n]
	*local = (*local)[n:]
	return piece
}

// recurrentProducts multiply a block of examples by parts of the recurrent weight, which are packed once a run: by their transposes on
// the way forward, by themselves on the way back.
type recurrentProducts struct {
	whole, last *gemm.Plan // of full tasks, of the last one
	packed      []float32
	each        int // floats of a packed part
	calls       []gemm.Call
	local       int // scratch of a worker
}

// gateProducts reserves the products with each gate's H×H part. dst += block·part always: what dst holds before is the gate's input,
// or the gradient that has come so far.
func (b *binder) gateProducts(r *recurrence, weight []float32, gates int, transposed bool) *recurrentProducts {
	return b.recurrentProducts(r, weight, gemm.Shape{N: r.h, K: r.h, TransB: transposed, Accumulate: true}, gates)
}

// recurrentProducts reserves the products of a task's rows with parts of the weight, of the shape's N and K, and appends their packing.
func (b *binder) recurrentProducts(r *recurrence, weight []float32, s gemm.Shape, parts int) *recurrentProducts {
	plan := func(rows int) *gemm.Plan {
		s.M = rows
		return gemm.NewPlan(b.b.tier, s, gemm.Options{PackA: gemm.PackNone, PackB: gemm.PackShared, Tasks: 1})
	}
	p := &recurrentProducts{whole: plan(r.rows), calls: make([]gemm.Call, b.b.workers.count())}
	p.last = p.whole
	if rest := r.n % r.rows; rest > 0 {
		p.last = plan(rest)
	}
	p.each = (p.whole.SharedFloats() + 15) / 16 * 16
	p.packed = alloc(parts * p.each)
	p.local = max(p.whole.LocalFloats(), p.last.LocalFloats())
	tasks := p.whole.PackTasks()
	b.phase(parts*tasks, func(_ *worker, task int) {
		i := task / tasks
		p.whole.Pack(task%tasks, nil, weight[i*s.N*s.K:], p.packed[i*p.each:(i+1)*p.each])
	})
	return p
}

// run computes a task's product of block with a part.
func (p *recurrentProducts) run(w *worker, dst, block, scratch []float32, part, rows int) {
	c := &p.calls[w.id]
	c.A, c.B, c.C, c.Shared, c.Local = block, p.packed, dst, p.packed[part*p.each:(part+1)*p.each], scratch
	if rows == p.whole.M {
		p.whole.Do(0, c)
	} else {
		p.last.Do(0, c)
	}
}
