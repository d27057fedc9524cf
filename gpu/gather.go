//go:build gpu

package gpu

import (
	"aetrain/kernels"
	"aetrain/op"
)

// bindGather copies rows.
func bindGather(b *binder, s *step) error {
	x := s.Case.In[0].Shape
	rows, n, count := x[0], x[1:].Size(), s.in[1].size
	if n*count == 0 {
		return nil
	}
	u := unit(s.in[0].dtype, n)
	each := n * s.in[0].dtype.Bytes() / u
	grid, block := elements(count * each)
	b.kernel("gather_rows"+unitSuffix[u], grid, block, 0, s.in[0], s.in[1], s.out[0], count*each, divisor(each), rows)
	return nil
}

// scatterSums is how many floats of shared memory a block of scatter_add has.
const scatterSums = 8192

// scatterFits says that sizes can be counted with 32 bits and the grid holds a row's columns.
func scatterFits(k kernels.Case) bool {
	return countable(k.In, k.Out) && blocks(k.Out[0].Shape[1:].Size(), 256) < 1<<16
}

// bindScatterAdd adds rows to where they belong, each row of the result by the one block that owns it: in the order of the index.
func bindScatterAdd(b *binder, s *step) error {
	rows, count, out := s.Op.(op.ScatterRows).Rows, s.in[0].size, s.out[0]
	if out.size == 0 {
		return nil
	}
	n := s.Case.Out[0].Shape[1:].Size()
	shift := min(8, log2(n))
	each := max(1, min(scatterSums>>shift, blocks(rows, 4*nominalProcessors)))
	each = min(blocks(each, 256>>shift)*(256>>shift), scatterSums>>shift) // all lanes of a block have a row
	b.kernel("scatter_add", [3]int{blocks(rows, each), blocks(n, 1<<shift), 1}, line(256), 4*each<<shift,
		s.in[0], s.in[1], out, count, rows, n, each, shift)
	return nil
}

// bindOneHot writes zeros and a one in each row whose index is in range.
func bindOneHot(b *binder, s *step) error {
	out := s.out[0]
	if out.size == 0 {
		return nil
	}
	grid, block := elements(out.size)
	b.kernel("one_hot", grid, block, 0, s.in[0], out, out.size, divisor(s.Op.(op.OneHotRows).Classes))
	return nil
}
