package data

import (
	"math"

	"aetrain/graph"
	"aetrain/internal/philox"
	"aetrain/op"
)

func init() { transforms.Add("rotate", func() Transform { return &Rotate{Degrees: 15} }) }

// Rotate turns images of training batches around their middle by a random angle; what comes into view is Value.
type Rotate struct {
	Degrees float64 `toml:"degrees" min:"0" max:"180" doc:"angles are drawn from -degrees to degrees"`
	Value   float64 `toml:"value" doc:"what is around"`
}

// Bind implements Transform.
func (t *Rotate) Bind(in graph.Spec) (Step, error) {
	c, h, w, err := imageSize(in)
	if err != nil {
		return nil, err
	}
	return rotate{sameShape{in}, c, h, w, t.Degrees * math.Pi / 180, float32(t.Value)}, nil
}

type rotate struct {
	sameShape
	channels, h, w int
	most           float64 // radians
	around         float32
}

func (rotate) trainingOnly() {}

func (s rotate) Apply(dst, src []float32, d Draw) {
	angle := s.most * (2*float64(philox.Uniform(d.Block(0)[0])) - 1)
	sin, cos := math.Sincos(angle)
	from := src
	if &dst[0] == &src[0] {
		from = append([]float32(nil), src...)
	}
	middleY, middleX := float64(s.h-1)/2, float64(s.w-1)/2
	for y := range s.h {
		for x := range s.w {
			dy, dx := float64(y)-middleY, float64(x)-middleX
			s.sample(dst, from, y*s.w+x, middleY+float64(cos*dy)+float64(sin*dx), middleX-float64(sin*dy)+float64(cos*dx))
		}
	}
}

// sample interpolates between the four pixels around a place.
func (s rotate) sample(dst, src []float32, at int, y, x float64) {
	y0, x0 := int(math.Floor(y)), int(math.Floor(x))
	fy, fx := float32(y-float64(y0)), float32(x-float64(x0))
	for c := range s.channels {
		pixel := func(y, x int) float32 {
			if y < 0 || x < 0 || y >= s.h || x >= s.w {
				return s.around
			}
			return src[(c*s.h+y)*s.w+x]
		}
		top := float32((1-fx)*pixel(y0, x0)) + float32(fx*pixel(y0, x0+1))
		bottom := float32((1-fx)*pixel(y0+1, x0)) + float32(fx*pixel(y0+1, x0+1))
		dst[c*s.h*s.w+at] = float32((1-fy)*top) + float32(fy*bottom)
	}
}

func (rotate) draws() {}

// Ops computes places in float32: a value is off by what an image changes within some 1e-7 of its size.
func (s rotate) Ops(x graph.Value, d OpDraw) (graph.Value, error) {
	angle := op.Scale(symmetric(d.uniform(x.Dim(0), 1)), s.most)
	sin, cos := op.Sin(angle), op.Cos(angle) // N×1
	middleY, middleX := float64(s.h-1)/2, float64(s.w-1)/2
	dy := numbers(x, func(i int) float64 { return float64(i/s.w) - middleY }, 1, s.h*s.w)
	dx := numbers(x, func(i int) float64 { return float64(i%s.w) - middleX }, 1, s.h*s.w)
	y := op.AddConst(op.Add(op.Mul(cos, dy), op.Mul(sin, dx)), middleY)
	at := op.AddConst(op.Sub(op.Mul(cos, dx), op.Mul(sin, dy)), middleX)
	return s.sampleOps(x, y, at)
}

// sampleOps is sample of whole images; y and at are N×(H·W), the places from which pixels come.
func (s rotate) sampleOps(x, y, at graph.Value) (graph.Value, error) {
	n := x.Dim(0)
	y0, x0 := op.Floor(y), op.Floor(at)
	var sum graph.Value
	for corner := range 4 {
		row, weightY := beside(y, y0, corner/2)
		col, weightX := beside(at, x0, corner%2)
		inside := op.Mul(within(row, s.h), within(col, s.w))
		place := op.Add(op.Scale(op.Clamp(row, 0, float64(s.h-1)), float64(s.w)), op.Clamp(col, 0, float64(s.w-1)))
		pixel, err := pick(x, place, s.h, s.w)
		if err != nil {
			return x, err
		}
		plane := func(v graph.Value) graph.Value { return op.Reshape(v, n, 1, s.h, s.w) }
		pixel = op.Select(plane(inside), pixel, x.Graph().Scalar(float64(s.around)))
		part := op.Mul(plane(op.Mul(weightY, weightX)), pixel)
		if corner == 0 {
			sum = part
		} else {
			sum = op.Add(sum, part)
		}
	}
	return sum, nil
}

// beside is the whole number below a place, or the one above it, and its weight in between.
func beside(place, below graph.Value, above int) (at, weight graph.Value) {
	share := op.Sub(place, below)
	if above == 1 {
		return op.AddConst(below, 1), share
	}
	return below, op.AddConst(op.Neg(share), 1)
}

// within is 1 where 0 ≤ v < n.
func within(v graph.Value, n int) graph.Value {
	g := v.Graph()
	return op.Mul(op.GreaterEqual(v, g.Scalar(0)), op.Less(v, g.Scalar(float64(n))))
}
