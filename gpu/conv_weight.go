//go:build gpu

package gpu

import (
	"aetrain/kernels"
	"aetrain/op"
)

// weightGrad is a Conv2DWeightGrad's sizes.
type weightGrad struct {
	op.ConvWeightGrad
	n, xC, xH, xW int
	dyC, dyH, dyW int
	m, columns    int // rows and columns of a group's result
}

func weightGradOf(k kernels.Case) weightGrad {
	g := weightGrad{ConvWeightGrad: k.Op.(op.ConvWeightGrad)}
	g.n, g.xC, g.xH, g.xW = shapesOf(k.In[0].Shape)
	_, g.dyC, g.dyH, g.dyW = shapesOf(k.In[1].Shape)
	g.m, g.columns = g.dyC/g.Groups, g.xC/g.Groups*g.KH*g.KW
	return g
}

func (g weightGrad) pixels() int { return g.n * g.dyH * g.dyW }

// geometry is the kernels' WeightGeometry.
func (g weightGrad) geometry() []int32 {
	var list []int32
	for _, v := range []int{g.xH, g.xW, g.xC * g.xH * g.xW, g.xC / g.Groups * g.xH * g.xW, g.dyC * g.dyH * g.dyW,
		g.m, g.columns, g.StrideH, g.StrideW, g.pixels()} {
		list = append(list, int32(v))
	}
	return append(append(list, divisor(g.dyH*g.dyW)...), divisor(g.dyW)...)
}

// taps is the kernels' table of columns.
func (g weightGrad) taps() (list []uint32) {
	for c := range g.xC / g.Groups {
		for i := range g.KH {
			for j := range g.KW {
				h, w := i*g.DilationH-g.PadTop, j*g.DilationW-g.PadLeft
				for _, v := range []int{(c*g.xH+h)*g.xW + w, h, w, len(list) / 4} {
					list = append(list, uint32(int32(v)))
				}
			}
		}
	}
	return list
}

// bindConvWeightImplicit sums by a product over pixels, in parts.
func bindConvWeightImplicit(b *binder, s *step) error {
	g := weightGradOf(s.Case)
	t := tilingOf(g.Groups, g.m, g.columns, g.pixels(), gemmTiles)
	g.launch(b, s, "conv_weight_"+t.name, t.across*t.down, t.parts, t.per)
	return nil
}

// Threads of conv_weight_direct, its columns, and the pixels that a part should have.
const (
	directThreads = 256
	directColumns = 9
	directPixels  = 4 * directThreads
)

// bindConvWeightDirect sums by threads that have a pixel for all of a few filters and columns.
func bindConvWeightDirect(b *binder, s *step) error {
	g := weightGradOf(s.Case)
	kernel, filters := "conv_weight_direct_4", 4
	if g.m == 1 {
		kernel, filters = "conv_weight_direct_1", 1
	}
	tiles := blocks(g.columns, directColumns) * blocks(g.m, filters)
	parts := max(1, min(blocks(g.pixels(), directPixels), blocks(4*nominalProcessors, tiles*g.Groups), maxPartElements/s.out[0].size))
	per := blocks(g.pixels(), parts)
	g.launch(b, s, kernel, tiles, blocks(g.pixels(), per), per)
	return nil
}

// launch runs a kernel of conv_weight.cu over parts of the pixels, and adds the parts up.
func (g weightGrad) launch(b *binder, s *step, kernel string, tiles, parts, per int) {
	out := s.out[0]
	to := b.parts(out, parts)
	b.kernel(kernel, [3]int{tiles, parts, g.Groups}, line(256), 0,
		s.in[0], s.in[1], to, b.constant(g.taps()), g.geometry(), per, int64(out.size))
	b.sumParts(out, to, parts, plain, 1, 1)
}

// ownWeight says that sizes can be counted with 32 bits.
func ownWeight(k kernels.Case) bool {
	return countable(k.In, k.Out) && k.Op.(op.ConvWeightGrad).Groups < 1<<16 && k.Out[0].Shape.Size() < 1<<26
}

// fewWeights says that a product's tiles would be mostly empty.
func fewWeights(k kernels.Case) bool {
	if !ownWeight(k) {
		return false
	}
	g := weightGradOf(k)
	return g.columns <= 2*directColumns || g.m <= 4
}

// manyWeights is the opposite.
func manyWeights(k kernels.Case) bool { return ownWeight(k) && !fewWeights(k) }
