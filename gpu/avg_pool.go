//go:build gpu

package gpu

import "aetrain/op"

// bindAvgPool averages each window.
func bindAvgPool(b *binder, s *step) error {
	in, out := s.Case.In[0].Shape, s.Case.Out[0].Shape
	planes := in[0] * in[1]
	grid, block := planesGrid(planes, out[2]*out[3])
	b.kernel("avg_pool", grid, block, 0, s.in[0], s.out[0], planes, window(s.Op.(op.AvgPool).PoolConfig, in[2], in[3], out[2], out[3]))
	return nil
}

// bindAvgPoolGrad adds up, for each pixel, its shares of the windows over it.
func bindAvgPoolGrad(b *binder, s *step) error {
	in, out := s.Case.In[0].Shape, s.Case.Out[0].Shape
	planes := in[0] * in[1]
	grid, block := planesGrid(planes, out[2]*out[3])
	b.kernel("avg_pool_grad", grid, block, 0, s.in[0], s.out[0], planes, window(s.Op.(op.AvgPoolGrad).PoolConfig, out[2], out[3], in[2], in[3]))
	return nil
}
