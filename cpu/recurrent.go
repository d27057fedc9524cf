package cpu

import "aetrain/cpu/vec"

// Recurrent ops walk through time with a few examples each task, which nobody waits for: no barrier between times, and the
// states and the recurrent weight stay in the cache. A time is one product of the states with the weights of all gates, and one
// pass of a vector kernel over the examples' rows (cpu/vec/recurrent.go). What the gradient needs is stored gate by gate, a block
// of examples×H each. recurrent_forward.go and recurrent_backward.go have the ways that all ops share.

// recurrence is what the kernels of all recurrent ops share: N examples through T times, G gates of H units each.
type recurrence struct {
	n, t, h int
	gates   int // G
	rows    int // examples a task
	reverse bool
	mask    []float32 // N×T; nil: all are valid

	products *recurrentProducts
}

// newRecurrence has the sizes of an N×T×GH value. It decides how many examples a task has: as few as leave the product its tiles where
// examples are few.
func newRecurrence(shape []int, gates int, reverse bool) recurrence {
	r := recurrence{n: shape[0], t: shape[1], h: shape[2] / gates, gates: gates, reverse: reverse, rows: recurrentRows}
	if r.n < 4*r.rows {
		r.rows = max(1, (r.n+3)/4)
	}
	return r
}

// masked reads the last input, which may be left out.
func (r *recurrence) masked(in []memory) {
	if len(in) > 0 {
		r.mask = in[0].f32
	}
}

// recurrentRows is how many examples a task has at most.
const recurrentRows = 16

func (r *recurrence) tasks() int { return (r.n + r.rows - 1) / r.rows }

// scratch is how many floats a worker needs for blocks of a task's examples and the products.
func (r *recurrence) scratch(blocks int) int { return blocks*r.rows*r.h + r.products.local }

// time is the k-th time on the way.
func (r *recurrence) time(k int) int {
	if r.reverse {
		return r.t - 1 - k
	}
	return k
}

// ahead tells kernels where the next time's operands are; way is 1 forward, -1 back.
func (r *recurrence) ahead(way int) vec.Next {
	if r.reverse {
		way = -way
	}
	return vec.Next{Time: way, Stored: way * r.n * r.h}
}

// recurrentExamples are a task's, on the worker that walks through time with them.
type recurrentExamples struct {
	*recurrence
	w        *worker
	n0, rows int
	local    []float32 // what is left of the worker's scratch
}

func (r *recurrence) examples(w *worker, task int) recurrentExamples {
	n0 := task * r.rows
	return recurrentExamples{recurrence: r, w: w, n0: n0, rows: min(r.rows, r.n-n0), local: w.local}
}

// cut takes some blocks of examples×H from the scratch.
func (e *recurrentExamples) cut(blocks int) []float32 { return cut(&e.local, blocks*e.rows*e.h) }

// cut takes n floats from the front of a worker's scratch.
func cut(local *[]float32, n int) []float32 {
	piece := (*local)[:n:n]
	*local = (*local)[n:]
	return piece
}

// state is the examples' part of an N×blocks·H value; nil where nobody wants it.
func (e *recurrentExamples) state(x []float32, blocks int) []float32 {
	if x == nil {
		return nil
	}
	return x[e.n0*blocks*e.h : (e.n0+e.rows)*blocks*e.h]
}

// from is an N×T×blocks·H value from time t of the first example on; nil where nobody wants it. Examples are T·blocks·H apart.
func (e *recurrentExamples) from(x []float32, blocks, t int) []float32 {
	if x == nil {
		return nil
	}
	return x[(e.n0*e.t+t)*blocks*e.h:]
}

// stored is block b of time t in a T×blocks×N×H value, or spare where nobody wants it.
func (e *recurrentExamples) stored(all, spare []float32, blocks, t, b int) []float32 {
	if all == nil {
		return spare
	}
	at := ((t*blocks+b)*e.n + e.n0) * e.h
	return all[at : at+e.rows*e.h]
}

// acts are the four blocks of time t in a T×4×N×H value, or those of spare.
func (e *recurrentExamples) acts(all, spare []float32, t int) (list [4][]float32) {
	for g, size := 0, e.rows*e.h; g < 4; g++ {
		if all == nil {
			list[g] = spare[g*size : (g+1)*size]
		} else {
			list[g] = e.stored(all, nil, 4, t, g)
		}
	}
	return list
}

// put writes a block of time t to an N×T×H value.
func (e *recurrentExamples) put(dst, block []float32, t int) {
	if dst == nil {
		return
	}
	for i := range e.rows {
		copy(dst[((e.n0+i)*e.t+t)*e.h:], block[i*e.h:(i+1)*e.h])
	}
}

// hidden reports whether the mask hides time t of the i-th example.
func (e *recurrentExamples) hidden(i, t int) bool { return e.mask[(e.n0+i)*e.t+t] == 0 }

// keepMasked copies the rows of old that the mask hides at time t over new ones, of some blocks of H each.
func (e *recurrentExamples) keepMasked(new, old []float32, blocks, t int) {
	if e.mask == nil {
		return
	}
	for i, size := 0, blocks*e.h; i < e.rows; i++ {
		if e.hidden(i, t) {
			copy(new[i*size:(i+1)*size], old[i*size:])
		}
	}
}
