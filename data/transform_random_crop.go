package data

import (
	"errors"
	"fmt"
	"math"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/internal/philox"
)

func init() { transforms.Add("random-crop", func() Transform { return &RandomCrop{} }) }

// RandomCrop cuts a window of Size from images of training batches at a random place; elsewhere from the middle. With Scale the window
// is a random share of the image's area, of a shape between 3:4 and 4:3 of Size's, and is resized to Size; elsewhere it is the largest in
// the middle that has Size's shape. Source of the latter: Szegedy et al. 2015, "Going Deeper with Convolutions", section 6.
type RandomCrop struct {
	Size  configs.Ints `toml:"size" required:"true" min:"1" max:"16384" doc:"height and width in pixels: a number or [height, width]" example:"96"`
	Scale []float64    `toml:"scale" over:"0" max:"1" doc:"share of the image's area, drawn from [low, high], then resized; left out: a window of just that size" example:"[0.3, 1.0]"`
}

func (*RandomCrop) sizes() {}

// Validate implements configs.Validator.
func (t *RandomCrop) Validate() error {
	if n := len(t.Scale); n != 0 && (n != 2 || t.Scale[0] > t.Scale[1]) {
		return errors.Join(validSides(t.Size), configs.KeyError("scale", "is [low, high]"))
	}
	return validSides(t.Size)
}

// Bind implements Transform.
func (t *RandomCrop) Bind(in graph.Spec) (Step, error) {
	s, err := newSized(in, t.Size)
	if err != nil {
		return nil, err
	}
	if t.Scale == nil && (s.toH > s.h || s.toW > s.w) {
		return nil, fmt.Errorf("meets images of %dx%d, which are smaller than %dx%d: put resize or pad before, or add scale = [0.3, 1.0]", s.h, s.w, s.toH, s.toW)
	}
	return &randomCrop{s, t.Scale}, nil
}

type randomCrop struct {
	sized
	scale []float64
}

func (s *randomCrop) draws() {}

func (s *randomCrop) Apply(dst, src []float32, d Draw) {
	h, w := s.toH, s.toW
	if s.scale != nil {
		h, w = s.largest()
	}
	if !d.Training {
		s.cut(dst, src, (s.h-h)/2, (s.w-w)/2, h, w)
		return
	}
	bits := d.Block(0)
	if s.scale != nil {
		h, w = s.drawn(d, h, w)
	}
	y := int(philox.Uniform(bits[0]) * float32(s.h-h+1))
	x := int(philox.Uniform(bits[1]) * float32(s.w-w+1))
	s.cut(dst, src, y, x, h, w)
}

// largest is the largest window of the wanted shape.
func (s *randomCrop) largest() (h, w int) {
	factor := min(float64(s.h)/float64(s.toH), float64(s.w)/float64(s.toW))
	return max(1, min(s.h, int(math.Round(float64(s.toH)*factor)))), max(1, min(s.w, int(math.Round(float64(s.toW)*factor))))
}

// How often a window is drawn at most, and how far its shape goes from Size's.
const cropTries, cropStretch = 10, 4. / 3

// drawn is a window of a random share of the area and shape; after ten that do not fit, the largest.
func (s *randomCrop) drawn(d Draw, largestH, largestW int) (h, w int) {
	for try := range cropTries {
		bits := d.Block(1 + try)
		area := float64(s.h) * float64(s.w) * (s.scale[0] + (s.scale[1]-s.scale[0])*float64(philox.Uniform(bits[0])))
		ratio := float64(s.toW) / float64(s.toH) * math.Exp(math.Log(cropStretch)*(2*float64(philox.Uniform(bits[1]))-1))
		h, w = int(math.Round(math.Sqrt(area/ratio))), int(math.Round(math.Sqrt(area*ratio)))
		if h >= 1 && w >= 1 && h <= s.h && w <= s.w {
			return h, w
		}
	}
	return largestH, largestW
}

// cut resizes a window to the wanted size.
func (s *randomCrop) cut(dst, src []float32, y, x, h, w int) {
	if h == s.toH && w == s.toW {
		for c := range s.channels {
			for row := range h {
				copy(dst[(c*h+row)*w:(c*h+row+1)*w], src[(c*s.h+y+row)*s.w+x:])
			}
		}
		return
	}
	r := resize{sized: s.sized,
		rows: newTaps(h, s.toH, float64(s.toH)/float64(h)), cols: newTaps(w, s.toW, float64(s.toW)/float64(w))}
	for i := range r.rows {
		r.rows[i].first += y
	}
	for i := range r.cols {
		r.cols[i].first += x
	}
	r.Apply(dst, src, Draw{})
}
