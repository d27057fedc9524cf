package data

import (
	"math"

	"aetrain/graph"
	"aetrain/internal/philox"
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
