//go:build gpu

package gpu

import (
	"aetrain/graph"
	"aetrain/kernels"
	"aetrain/op"
)

// window is the kernels' Window: a pooling of h×w images to oh×ow.
func window(c op.PoolConfig, h, w, oh, ow int) []int32 {
	whole := 0
	if c.CountIncludePad {
		whole = 1
	}
	var list []int32
	for _, v := range []int{h, w, oh, ow, c.KH, c.KW, c.StrideH, c.StrideW, c.PadH, c.PadW, whole} {
		list = append(list, int32(v))
	}
	return list
}

// smallPlanes says that a plane can be indexed with 32 bits; there may be more of them.
func smallPlanes(k kernels.Case) bool {
	for _, s := range []graph.Shape{k.In[0].Shape, k.Out[0].Shape} {
		if s[2]*s[3] > most || s[0]*s[1] > most {
			return false
		}
	}
	return true
}

// bindMaxPool finds the largest element of each window and its place.
func bindMaxPool(b *binder, s *step) error {
	in, out := s.Case.In[0].Shape, s.Case.Out[0].Shape
	planes := in[0] * in[1]
	var places any = nilMemory{}
	if s.out[1].size > 0 {
		places = s.out[1]
	}
	grid, block := planesGrid(planes, out[2]*out[3])
	b.kernel("max_pool", grid, block, 0, s.in[0], s.out[0], places, planes, window(s.Op.(op.MaxPool).PoolConfig, in[2], in[3], out[2], out[3]))
	return nil
}

// poolOf finds the pooling whose places a MaxPool2DGrad follows. Then a pixel needs to look only at the windows over it.
func poolOf(k kernels.Case) (c op.PoolConfig, ok bool) {
	places := k.Step.Node.In[1]
	pool, ok := places.Node.Op.(op.MaxPool)
	if !ok || places.Index != 1 {
		return c, false
	}
	x := places.Node.In[0].Shape()
	return pool.PoolConfig, x[2] == k.Out[0].Shape[2] && x[3] == k.Out[0].Shape[3]
}

// poolPlaces says that the places come from a pooling.
func poolPlaces(k kernels.Case) bool {
	_, ok := poolOf(k)
	return ok && smallPlanes(k)
}

// bindMaxPoolWindows adds up, for each pixel, the windows over it that chose it.
func bindMaxPoolWindows(b *binder, s *step) error {
	c, _ := poolOf(s.Case)
	in, out := s.Case.In[0].Shape, s.Case.Out[0].Shape
	planes := in[0] * in[1]
	grid, block := planesGrid(planes, out[2]*out[3])
	b.kernel("max_pool_spread", grid, block, 0, s.in[0], s.in[1], s.out[0], planes, window(c, out[2], out[3], in[2], in[3]))
	return nil
}

// bindMaxPoolClaims adds each gradient to the place that won, wherever that is, in order.
func bindMaxPoolClaims(b *binder, s *step) error {
	in, out := s.Case.In[0].Shape, s.Case.Out[0].Shape
	planes, size := in[0]*in[1], out[2]*out[3]
	count := max(1, min(planes, 1024, maxPartElements/size))
	b.kernel("max_pool_scatter", line(count), line(256), 0, s.in[0], s.in[1], s.out[0], b.scratch(graph.Int32, count*size), planes, size, in[2]*in[3])
	return nil
}

// bindMaxPoolGather fetches from the places.
func bindMaxPoolGather(b *binder, s *step) error {
	in, out := s.Case.In[0].Shape, s.Case.Out[0].Shape
	planes, each := in[0]*in[1], out[2]*out[3]
	grid, block := planesGrid(planes, each)
	b.kernel("max_pool_gather", grid, block, 0, s.in[0], s.in[1], s.out[0], planes, in[2]*in[3], each)
	return nil
}
