package data

import (
	"fmt"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/op"
)

func init() {
	transforms.Add("crop", func() Transform { return &Crop{} })
	transforms.Add("pad", func() Transform { return &Pad{} })
}

// Crop keeps the middle of images.
type Crop struct {
	Size configs.Ints `toml:"size" required:"true" min:"1" doc:"height and width in pixels of what stays: a number or [height, width]" example:"24"`
}

// Validate implements configs.Validator.
func (t *Crop) Validate() error { return validSides(t.Size) }

// Bind implements Transform.
func (t *Crop) Bind(in graph.Spec) (Step, error) {
	s, err := newWindow(in, t.Size, 0)
	if err == nil && (s.toH > s.h || s.toW > s.w) {
		err = fmt.Errorf("meets images of %dx%d, which are smaller than %dx%d: use resize or pad", s.h, s.w, s.toH, s.toW)
	}
	return s, err
}

// Pad puts images into the middle of larger ones.
type Pad struct {
	Size  configs.Ints `toml:"size" required:"true" min:"1" max:"16384" doc:"height and width in pixels of the result: a number or [height, width]" example:"32"`
	Value float64      `toml:"value" doc:"what is around"`
}

// Validate implements configs.Validator.
func (t *Pad) Validate() error { return validSides(t.Size) }

// Bind implements Transform.
func (t *Pad) Bind(in graph.Spec) (Step, error) {
	s, err := newWindow(in, t.Size, float32(t.Value))
	if err == nil && (s.toH < s.h || s.toW < s.w) {
		err = fmt.Errorf("meets images of %dx%d, which are larger than %dx%d: use resize or crop", s.h, s.w, s.toH, s.toW)
	}
	return s, err
}

// window copies what images and results of another size share in the middle; an odd pixel is left out, or stays, behind.
type window struct {
	sized
	around float32
}

func newWindow(in graph.Spec, size configs.Ints, around float32) (*window, error) {
	s, err := newSized(in, size)
	return &window{s, around}, err
}

func (s *window) Apply(dst, src []float32, _ Draw) {
	for i := range dst {
		dst[i] = s.around
	}
	h, w := min(s.h, s.toH), min(s.w, s.toW)
	fromY, fromX, toY, toX := (s.h-h)/2, (s.w-w)/2, (s.toH-h)/2, (s.toW-w)/2
	for c := range s.channels {
		for y := range h {
			from := (c*s.h+fromY+y)*s.w + fromX
			to := (c*s.toH+toY+y)*s.toW + toX
			copy(dst[to:to+w], src[from:from+w])
		}
	}
}

// Ops slices or pads each axis.
func (s *window) Ops(x graph.Value, _ OpDraw) (graph.Value, error) {
	fit := func(axis, from, to int) {
		switch more := to - from; {
		case more > 0:
			x = op.Pad(x, axis, more/2, more-more/2, float64(s.around))
		case more < 0:
			x = op.Slice(x, axis, -more/2, -more/2+to)
		}
	}
	fit(2, s.h, s.toH)
	fit(3, s.w, s.toW)
	return x, nil
}
