package cpu

import (
	"math"

	"aetrain/cpu/cpuinfo"
	"aetrain/op"
)

// bindMaxPool finds the largest element of each window and its place. Windows of 2×2 are compared without branches, eight at a
// time: which of four neighbours is the largest, no branch can be predicted.
func bindMaxPool(b *binder, s *step) error {
	c, in, out := s.Op.(op.MaxPool).PoolConfig, s.Case.In[0].Shape, s.Case.Out[0].Shape
	p := pooling{c, in[2], in[3], out[2], out[3]}
	x, y, index := s.in[0].f32, s.out[0].f32, s.out[1].i32
	size, each := p.h*p.w, p.oh*p.ow
	spare := forEachWorker(b, func(*worker) []int32 { return make([]int32, each) })
	b.items(in[0]*in[1], size*2, func(w *worker, from, to int) {
		for i := from; i < to; i++ {
			places := spare[w.id]
			if index != nil {
				places = index[i*each : (i+1)*each]
			}
			if plane := x[i*size : (i+1)*size]; p.pairs() {
				p.max2(b.b.tier, y[i*each:(i+1)*each], places, plane)
			} else {
				p.max(y[i*each:(i+1)*each], places, plane)
			}
		}
	}).separate()
	return nil
}

// pooling is a window's walk over h×w planes to oh×ow ones.
type pooling struct {
	op.PoolConfig
	h, w, oh, ow int
}

// pairs says that windows are 2×2 beside each other, without padding.
func (p pooling) pairs() bool {
	return p.KH == 2 && p.KW == 2 && p.StrideH == 2 && p.StrideW == 2 && p.PadH == 0 && p.PadW == 0
}

// rows and columns are the part of a window that lies inside of the plane.
func (p pooling) rows(i int) (from, to int) {
	top := i*p.StrideH - p.PadH
	return max(0, top), min(p.h, top+p.KH)
}

func (p pooling) columns(j int) (from, to int) {
	left := j*p.StrideW - p.PadW
	return max(0, left), min(p.w, left+p.KW)
}

// ordered maps a number, for comparison, to an integer of the same order, NaN above all. Zeros of either sign are equal.
func ordered(v float32) int32 {
	bits := int32(math.Float32bits(v + 0))
	flip := int32(uint32(bits>>31) >> 1) // of a negative number: all bits but the sign
	key := bits ^ flip
	if v != v {
		key = math.MaxInt32
	}
	return key
}

func (p pooling) max(y []float32, places []int32, x []float32) {
	o := 0
	for i := range p.oh {
		top, bottom := p.rows(i)
		for j := range p.ow {
			left, right := p.columns(j)
			best := int32(top*p.w + left)
			most := ordered(x[best])
			for r := top; r < bottom; r++ {
				row := x[r*p.w+left : r*p.w+right]
				for k, v := range row {
					key, at := ordered(v), int32(r*p.w+left+k)
					if key > most {
						best = at
					}
					most = max(most, key)
				}
			}
			y[o], places[o] = x[best], best
			o++
		}
	}
}

// max2 is max for 2×2 windows beside each other.
func (p pooling) max2(t cpuinfo.Tier, y []float32, places []int32, x []float32) {
	for i := range p.oh {
		a, b := x[2*i*p.w:][:2*p.ow], x[(2*i+1)*p.w:][:2*p.ow]
		maxPairs(t, y[i*p.ow:(i+1)*p.ow], places[i*p.ow:(i+1)*p.ow], a, b, 2*i*p.w, p.w)
	}
}

// maxPairsGo finds the largest of each 2×2 block of the rows a and b, and its place.
func maxPairsGo(y []float32, places []int32, a, b []float32, first, below int) {
	for j := range y {
		best := int32(first + 2*j)
		under := best + int32(below)
		k0, k1 := ordered(a[2*j]), ordered(a[2*j+1])
		k2, k3 := ordered(b[2*j]), ordered(b[2*j+1])
		v := a[2*j]
		if k1 > k0 {
			best, v = best+1, a[2*j+1]
		}
		k0 = max(k0, k1)
		if k2 > k0 {
			best, v = under, b[2*j]
		}
		k0 = max(k0, k2)
		if k3 > k0 {
			best, v = under+1, b[2*j+1]
		}
		y[j], places[j] = v, best
	}
}

// bindMaxPoolGrad adds each gradient to the place that won.
func bindMaxPoolGrad(b *binder, s *step) error {
	in, out := s.Case.In[0].Shape, s.Case.Out[0].Shape
	dy, index, dx := s.in[0].f32, s.in[1].i32, s.out[0].f32
	size, each := out[2]*out[3], in[2]*in[3]
	b.items(in[0]*in[1], size+each, func(_ *worker, from, to int) {
		for i := from; i < to; i++ {
			plane, places := dx[i*size:(i+1)*size], index[i*each:(i+1)*each]
			clear(plane)
			for j, d := range dy[i*each : (i+1)*each] {
				plane[clampIndex(places[j], size)] += d
			}
		}
	}).separate()
	return nil
}

// bindMaxPoolGather fetches from the places.
func bindMaxPoolGather(b *binder, s *step) error {
	in, out := s.Case.In[0].Shape, s.Case.Out[0].Shape
	x, index, y := s.in[0].f32, s.in[1].i32, s.out[0].f32
	size, each := in[2]*in[3], out[2]*out[3]
	b.items(in[0]*in[1], 2*each, func(_ *worker, from, to int) {
		for i := from; i < to; i++ {
			plane, places := x[i*size:(i+1)*size], index[i*each:(i+1)*each]
			for j := range places {
				y[i*each+j] = plane[clampIndex(places[j], size)]
			}
		}
	}).separate()
	return nil
}
