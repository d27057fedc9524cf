package grid

import (
	"image"
	"image/color"
	"math"
)

// Tiny images are enlarged until their longer side has about so many pixels, but not by more than mostScale.
const (
	wantedSide = 64
	mostScale  = 8
)

// pictures draws images C×H×W.
type pictures struct {
	*values
	channels, height, width int
	low, high               float64
	scale                   int
}

func newPictures(v *values, o Options) *pictures {
	p := &pictures{values: v, channels: v.shape[0], height: v.shape[1], width: v.shape[2], low: o.Low, high: o.High, scale: o.Scale}
	if !o.given() {
		p.low, p.high = 0, v.white
	}
	if p.scale < 1 {
		p.scale = min(mostScale, max(1, wantedSide/max(p.height, p.width)))
	}
	return p
}

// panels is how many images of one example stand side by side: one, or its channels where they are no colours.
func (p *pictures) panels() int {
	if p.channels == 1 || p.channels == 3 {
		return 1
	}
	return p.channels
}

func (p *pictures) size() (width, height int) {
	return p.panels() * p.width * p.scale, p.height * p.scale
}

func (p *pictures) draw(dst *image.RGBA, at image.Point, i int) {
	plane := p.height * p.width
	for panel := range p.panels() {
		first := i*p.each + panel*plane
		for y := range p.height {
			for x := range p.width {
				c := p.color(first+y*p.width+x, plane)
				p.square(dst, at.X+(panel*p.width+x)*p.scale, at.Y+y*p.scale, c)
			}
		}
	}
}

// color is that of the pixel whose first channel is element i.
func (p *pictures) color(i, plane int) color.RGBA {
	red := p.level(p.at(i))
	c := [3]float64{red, red, red}
	if p.channels == 3 {
		c[1], c[2] = p.level(p.at(i+plane)), p.level(p.at(i+2*plane))
	}
	if math.IsNaN(c[0] + c[1] + c[2]) {
		return notANumber
	}
	return color.RGBA{uint8(c[0]), uint8(c[1]), uint8(c[2]), 255}
}

// level is 0 to 255 for what lies in the range, clamped outside of it; NaN for what is no finite number.
func (p *pictures) level(x float64) float64 {
	if math.IsInf(x, 0) {
		return math.NaN()
	}
	const white = 255
	return math.Round(white * max(0, min(1, (x-p.low)/(p.high-p.low))))
}

// square fills one enlarged pixel.
func (p *pictures) square(dst *image.RGBA, x0, y0 int, c color.RGBA) {
	for y := range p.scale {
		for x := range p.scale {
			dst.SetRGBA(x0+x, y0+y, c)
		}
	}
}
