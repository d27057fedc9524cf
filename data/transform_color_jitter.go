package data

import (
	"fmt"
	"math"

	"aetrain/graph"
	"aetrain/internal/philox"
	"aetrain/op"
)

func init() {
	transforms.Add("color-jitter", func() Transform { return &ColorJitter{Brightness: 0.2, Contrast: 0.2, Saturation: 0.2} })
}

// ColorJitter changes brightness, contrast, saturation and hue of images of training batches, in this order, each by a factor drawn
// from 1-v to 1+v (hue: turned by a share of the circle from -v to v). Values stay in [0,1].
type ColorJitter struct {
	Brightness float64 `toml:"brightness" min:"0" max:"1" doc:"all values are multiplied"`
	Contrast   float64 `toml:"contrast" min:"0" max:"1" doc:"differences from the mean grey are multiplied"`
	Saturation float64 `toml:"saturation" min:"0" max:"1" doc:"differences from each pixel's grey are multiplied"`
	Hue        float64 `toml:"hue" min:"0" max:"0.5" doc:"share of the colour circle"`
}

// Bind implements Transform.
func (t *ColorJitter) Bind(in graph.Spec) (Step, error) {
	c, h, w, err := imageSize(in)
	if err != nil {
		return nil, err
	}
	if c != 1 && c != 3 {
		return nil, fmt.Errorf("wants images of 1 or 3 channels; they have %d", c)
	}
	return colorJitter{sameShape{in}, *t, c == 3, h * w}, nil
}

type colorJitter struct {
	sameShape
	by     ColorJitter
	colour bool
	n      int // pixels
}

func (colorJitter) trainingOnly() {}

func (s colorJitter) Apply(dst, src []float32, d Draw) {
	bits := d.Block(0)
	factor := func(i int, v float64) float32 { return 1 + float32(v)*(2*philox.Uniform(bits[i])-1) }
	brightness, contrast, saturation := factor(0, s.by.Brightness), factor(1, s.by.Contrast), factor(2, s.by.Saturation)
	for i, v := range src {
		dst[i] = unitRange(v * brightness)
	}
	mean := float64(0)
	for i := range s.n {
		mean += float64(s.grey(dst, i))
	}
	middle := float32(mean / float64(s.n))
	for i, v := range dst {
		dst[i] = unitRange(middle + float32((v-middle)*contrast))
	}
	if !s.colour {
		return
	}
	turn := 2 * math.Pi * s.by.Hue * (2*float64(philox.Uniform(bits[3])) - 1)
	for i := range s.n {
		s.tint(dst, i, saturation, float32(math.Cos(turn)), float32(math.Sin(turn)))
	}
}

// grey is a pixel's luma (ITU-R BT.601).
func (s colorJitter) grey(x []float32, i int) float32 {
	if !s.colour {
		return x[i]
	}
	return float32(0.299*x[i]) + float32(0.587*x[s.n+i]) + float32(0.114*x[2*s.n+i])
}

// U and V are multiples of the differences of blue and red from luma, of which that of green follows.
// Source: ITU-R BT.601.
const fromBlue, fromRed, greenOfBlue, greenOfRed = 0.492, 0.877, 0.114 / 0.587, 0.299 / 0.587

// tint multiplies a pixel's distance from grey, and turns it in the plane of equal luma (the U and V of ITU-R BT.601).
func (s colorJitter) tint(x []float32, i int, saturation, cos, sin float32) {
	y := s.grey(x, i)
	u, v := fromBlue*(x[2*s.n+i]-y)*saturation, fromRed*(x[i]-y)*saturation
	u, v = float32(cos*u)-float32(sin*v), float32(sin*u)+float32(cos*v)
	red, blue := v*(1/fromRed), u*(1/fromBlue) // differences from y
	x[i] = unitRange(y + red)
	x[2*s.n+i] = unitRange(y + blue)
	x[s.n+i] = unitRange(y - float32(greenOfRed*red) - float32(greenOfBlue*blue))
}

func unitRange(v float32) float32 { return min(max(v, 0), 1) }

func (colorJitter) draws() {}

// Ops adds up the mean in another order.
func (s colorJitter) Ops(x graph.Value, d OpDraw) (graph.Value, error) {
	n := x.Dim(0)
	u := d.uniform(n, 4)
	factor := func(i int, v float64) graph.Value {
		return op.Reshape(op.AddConst(op.Scale(symmetric(word(u, i)), float64(float32(v))), 1), n, 1, 1, 1)
	}
	x = op.Clamp(op.Mul(x, factor(0, s.by.Brightness)), 0, 1)
	grey := x
	if s.colour {
		grey = luma(x)
	}
	middle := op.Reshape(op.ReduceMean(grey, 1, 2, 3), n, 1, 1, 1)
	x = op.Clamp(op.Add(middle, op.Mul(op.Sub(x, middle), factor(1, s.by.Contrast))), 0, 1)
	if !s.colour {
		return x, nil
	}
	turn := op.Reshape(op.Scale(symmetric(word(u, 3)), 2*math.Pi*s.by.Hue), n, 1, 1, 1)
	return tintOps(x, factor(2, s.by.Saturation), op.Cos(turn), op.Sin(turn)), nil
}

// tintOps is tint of whole images.
func tintOps(x, saturation, cos, sin graph.Value) graph.Value {
	y, red, blue := luma(x), channel(x, 0), channel(x, 2)
	u := op.Mul(op.Scale(op.Sub(blue, y), fromBlue), saturation)
	v := op.Mul(op.Scale(op.Sub(red, y), fromRed), saturation)
	u, v = op.Sub(op.Mul(cos, u), op.Mul(sin, v)), op.Add(op.Mul(sin, u), op.Mul(cos, v))
	red, blue = op.Scale(v, 1/fromRed), op.Scale(u, 1/fromBlue) // differences from y
	green := op.Sub(y, op.Add(op.Scale(red, greenOfRed), op.Scale(blue, greenOfBlue)))
	return op.Clamp(op.Concat(1, op.Add(y, red), green, op.Add(y, blue)), 0, 1)
}
