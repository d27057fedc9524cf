package cpu

import (
	"math"
	"slices"

	"aetrain/cpu/vec"
	"aetrain/graph"
	"aetrain/op"
)

// fold is an operation that a reduction repeats: along a row, between elements, and from its neutral element.
type fold struct {
	row   vec.Reduce
	join  vec.Binary
	start float32
}

func bindReduceSum(b *binder, s *step) error {
	bindReduce(b, s, s.Op.(op.Reduce).Axes, fold{b.b.vec.Sum, b.b.vec.Add, 0})
	return nil
}

func bindReduceMax(b *binder, s *step) error {
	bindReduce(b, s, s.Op.(op.ReduceMaxOp).Axes, fold{b.b.vec.MaxReduce, b.b.vec.Max, float32(math.Inf(-1))})
	return nil
}

func bindReduceMin(b *binder, s *step) error {
	bindReduce(b, s, s.Op.(op.ReduceMinOp).Axes, fold{b.b.vec.MinReduce, b.b.vec.Min, float32(math.Inf(1))})
	return nil
}

// folding is a reduction whose neighbouring axes of one kind are joined: kept and reduced ones alternate.
type folding struct {
	fold
	dims    []int
	strides []int // in the output, 0 for reduced axes
}

// bindReduce folds over axes. Tasks share out the first kept axis; its slices are folded in the order of memory.
func bindReduce(b *binder, s *step, axes []int, f fold) {
	x, y := s.in[0].f32, s.out[0].f32
	if len(y) == 0 {
		return
	}
	r := alternate(s.Case.In[0].Shape, axes)
	r.fold = f
	first := slices.IndexFunc(r.strides, func(k int) bool { return k > 0 })
	switch {
	case len(x) == 0 || first < 0:
		b.phase(1, func(*worker, int) {
			vecFill(y, f.start)
			if len(x) > 0 {
				r.run(y, x, 0)
			}
		})
	case first == 1: // reduced, kept, ...: share out the kept axis, fold its parts one after the other
		rest := sizeOf(r.dims[2:])
		inner := r.strides[1]
		b.items(r.dims[1], r.dims[0]*rest, func(_ *worker, from, to int) {
			vecFill(y[from*inner:to*inner], f.start)
			part := folding{fold: f, dims: r.dims[1:], strides: r.strides[1:]}
			for i := range r.dims[0] {
				at := (i*r.dims[1] + from) * rest
				part.slices(y[from*inner:], x[at:], to-from)
			}
		})
	default:
		rest, inner := sizeOf(r.dims[1:]), r.strides[0]
		b.items(r.dims[0], rest, func(_ *worker, from, to int) {
			vecFill(y[from*inner:to*inner], f.start)
			r.slices(y[from*inner:], x[from*rest:], to-from)
		}).separate()
	}
}

func vecFill(d []float32, v float32) {
	for i := range d {
		d[i] = v
	}
}

func sizeOf(dims []int) int { return graph.Shape(dims).Size() }

// alternate joins axes.
func alternate(shape graph.Shape, axes []int) folding {
	var r folding
	var reduced []bool
	for i, d := range shape {
		is := slices.Contains(axes, i)
		if n := len(r.dims); n > 0 && reduced[n-1] == is {
			r.dims[n-1] *= d
			continue
		}
		r.dims, reduced = append(r.dims, d), append(reduced, is)
	}
	r.strides = make([]int, len(r.dims))
	for i, step := len(r.dims)-1, 1; i >= 0; i-- {
		if !reduced[i] {
			r.strides[i] = step
			step *= r.dims[i]
		}
	}
	return r
}

// slices folds count slices of the first axis.
func (r folding) slices(y, x []float32, count int) {
	if len(r.dims) == 1 && r.strides[0] == 1 {
		r.join(y[:count], y[:count], x[:count])
		return
	}
	rest := sizeOf(r.dims[1:])
	for i := range count {
		r.run(y[i*r.strides[0]:], x[i*rest:], 1)
	}
}

// run folds the axes from index axis on; x begins at their first element.
func (r folding) run(y, x []float32, axis int) {
	switch len(r.dims) - axis {
	case 0:
		r.joinOne(y, x[0])
	case 1:
		n := r.dims[axis]
		if r.strides[axis] > 0 {
			r.join(y[:n], y[:n], x[:n])
			return
		}
		r.joinOne(y, r.row(x[:n]))
	default:
		rest := sizeOf(r.dims[axis+1:])
		for i := range r.dims[axis] {
			r.run(y[i*r.strides[axis]:], x[i*rest:], axis+1)
		}
	}
}

// joinOne folds a number into y[0].
func (r folding) joinOne(y []float32, v float32) {
	switch {
	case r.start == 0:
		y[0] += v
	case r.start < 0:
		y[0] = max(y[0], v)
	default:
		y[0] = min(y[0], v)
	}
}

// bindArgMax finds each row's largest element, then where it is first.
func bindArgMax(b *binder, s *step) error {
	shape := s.Case.In[0].Shape
	n, x, dst, largest := shape[len(shape)-1], s.in[0].f32, s.out[0].i32, b.b.vec.MaxReduce
	b.items(len(dst), n, func(_ *worker, from, to int) {
		for r := from; r < to; r++ {
			row := x[r*n : (r+1)*n]
			dst[r] = int32(indexOf(row, largest(row)))
		}
	}).separate()
	return nil
}

// indexOf returns the first place of v, which is in x; v may be NaN.
func indexOf(x []float32, v float32) int {
	for i, y := range x {
		if y == v || y != y && v != v {
			return i
		}
	}
	return 0
}
