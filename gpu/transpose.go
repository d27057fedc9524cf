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
	o, x := s.Op.(op.TransposeOp), s.Case.In[0].Shape
	if s.out[0].size == 0 {
		return nil
	}
	batch, rows, cols, ok := o.Matrices(x)
	if !ok {
		b.strided(s, o.Strides(x))
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
	return countable(k.In, k.Out) && len(joined(k.Out[0].Shape, k.Op.(op.TransposeOp).Strides(k.In[0].Shape))) <= maxAxes
}
