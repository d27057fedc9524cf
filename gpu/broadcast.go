//go:build gpu

package gpu

import (
	"aetrain/graph"
	"aetrain/kernels"
)

// bindBroadcast materialises a stretched value that some step cannot read in place.
func bindBroadcast(b *binder, s *step) error {
	b.strided(s, stretched(s.Case.In[0].Shape, s.Case.Out[0].Shape))
	return nil
}

// stretched is the steps of x's elements along the axes of dims: 0 where an axis repeats.
func stretched(x, dims graph.Shape) []int {
	strides, lead, step := make([]int, len(dims)), len(dims)-len(x), 1
	for i := len(x) - 1; i >= 0; i-- {
		if x[i] != 1 {
			strides[lead+i] = step
		}
		step *= x[i]
	}
	return strides
}

// broadcastFits says that the axes that remain are few enough.
func broadcastFits(k kernels.Case) bool {
	return countable(k.In, k.Out) && len(joined(k.Out[0].Shape, stretched(k.In[0].Shape, k.Out[0].Shape))) <= maxAxes
}
