//go:build gpu

package gpu

import (
	"aetrain/graph"
	"aetrain/op"
)

// bindUpsample enlarges images.
func bindUpsample(b *binder, s *step) error {
	b.upsample("upsample", s, s.Op.(op.Upsample), s.Case.In[0].Shape, s.Case.Out[0].Shape)
	return nil
}

// bindUpsampleGrad is the transpose.
func bindUpsampleGrad(b *binder, s *step) error {
	b.upsample("upsample_grad", s, op.Upsample(s.Op.(op.UpsampleGrad)), s.Case.Out[0].Shape, s.Case.Out[0].Shape)
	return nil
}

// upsample launches one of the two for small images and results of the given shapes.
func (b *binder) upsample(kernel string, s *step, o op.Upsample, small, out graph.Shape) {
	bilinear := 0
	if o.Mode == op.Bilinear {
		bilinear = 1
	}
	planes := small[0] * small[1]
	grid, block := planesGrid(planes, out[2]*out[3])
	b.kernel(kernel, grid, block, 0, s.in[0], s.out[0], planes, small[2], small[3], o.ScaleH, o.ScaleW, bilinear)
}
