//go:build gpu

package gpu

import (
	"aetrain/graph"
	"aetrain/kernels"
	"aetrain/op"
)

// bindTranspose reorders axes. Where the order is that of matrices being transposed, tiles of them go through shared memory;
// otherwise elements are fetched by strides.
func bindTranspose(b *binder, s *step) error {
	shape, perm := s.Case.In[0].Shape, s.Op.(op.TransposeOp).Perm
	if s.out[0].size == 0 {
		return nil
	}
	batch, rows, cols, ok := matrices(shape, perm)
	if !ok {
		strides := rowMajor(shape)
		of := make([]int, len(perm))
		for i, a := range perm {
			of[i] = strides[a]
		}
		b.strided(s, of)
		return nil
	}
	suffix := unitSuffix[s.in[0].dtype.Bytes()]
	if rows < 32 || cols < 32 {
		grid, block := elements(s.out[0].size)
		b.kernel("transpose_narrow"+suffix, grid, block, 0, s.in[0], s.out[0], s.out[0].size, divisor(rows*cols), divisor(rows))
		return nil
	}
	b.kernel("transpose"+suffix, line(batch*blocks(rows, 32)*blocks(cols, 32)), [3]int{32, 8, 1}, 0, s.in[0], s.out[0], rows, cols)
	return nil
}

// rowMajor is the steps of a shape's axes.
func rowMajor(shape graph.Shape) []int {
	strides, step := make([]int, len(shape)), 1
	for i := len(shape) - 1; i >= 0; i-- {
		strides[i] = step
		step *= shape[i]
	}
	return strides
}

// matrices reports whether the order of axes is that of a batch of rows×cols matrices being transposed.
func matrices(shape graph.Shape, perm []int) (batch, rows, cols int, ok bool) {
	lead := 0
	for lead < len(perm) && perm[lead] == lead {
		lead++
	}
	if lead == len(perm) {
		return 0, 0, 0, false
	}
	first := perm[lead] // this axis and all behind it come first now, then those in between
	for i := lead; i < len(perm); i++ {
		want := first + i - lead
		if want >= len(shape) {
			want -= len(shape) - lead
		}
		if perm[i] != want {
			return 0, 0, 0, false
		}
	}
	return shape[:lead].Size(), shape[lead:first].Size(), shape[first:].Size(), true
}

// axis is one axis of a result, and the step of the source along it.
type axis struct{ size, stride int }

// maxAxes is how many the kernel takes.
const maxAxes = 8

// joined lists the axes, the last first, without those of size 1 and with neighbours that lie as one axis joined.
func joined(shape graph.Shape, strides []int) (axes []axis) {
	for i := len(shape) - 1; i >= 0; i-- {
		if shape[i] == 1 {
			continue
		}
		if n := len(axes); n > 0 && strides[i] == axes[n-1].stride*axes[n-1].size {
			axes[n-1].size *= shape[i]
			continue
		}
		axes = append(axes, axis{shape[i], strides[i]})
	}
	return axes
}

// strided writes output 0 from input 0, whose element for an index of the output lies at the sum of index times strides.
func (b *binder) strided(s *step, strides []int) {
	n := s.out[0].size
	if n == 0 {
		return
	}
	axes := joined(s.Case.Out[0].Shape, strides)
	words := []int32{int32(len(axes))}
	for i := range maxAxes {
		size := 1
		if i < len(axes) {
			size = axes[i].size
		}
		words = append(words, divisor(size)...)
	}
	for i := range maxAxes {
		stride := 0
		if i < len(axes) {
			stride = axes[i].stride
		}
		words = append(words, int32(stride))
	}
	grid, block := elements(n)
	b.kernel("strided"+unitSuffix[s.in[0].dtype.Bytes()], grid, block, 0, s.in[0], s.out[0], n, words)
}

// transposeFits says that the axes that remain are few enough.
func transposeFits(k kernels.Case) bool {
	if !countable(k.In, k.Out) {
		return false
	}
	strides, perm := rowMajor(k.In[0].Shape), k.Op.(op.TransposeOp).Perm
	of := make([]int, len(perm))
	for i, a := range perm {
		of[i] = strides[a]
	}
	return len(joined(k.Out[0].Shape, of)) <= maxAxes
}
