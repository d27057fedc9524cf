package data

import (
	"math"

	"aetrain/configs"
	"aetrain/graph"
)

func init() { transforms.Add("resize", func() Transform { return &Resize{Fit: "crop"} }) }

// Resize brings images to a size with a triangle filter that widens when it shrinks, so that no pixel is passed over
// (Pillow's and torchvision's antialiased "bilinear").
type Resize struct {
	Size configs.Ints `toml:"size" required:"true" min:"1" max:"16384" doc:"height and width in pixels: a number or [height, width]" example:"64"`
	Fit  string       `toml:"fit" choices:"crop|pad|stretch" doc:"another shape of image is cropped in the middle, padded with 0, or stretched"`
}

func (*Resize) sizes() {}

// Validate implements configs.Validator.
func (t *Resize) Validate() error { return validSides(t.Size) }

func validSides(size configs.Ints) error {
	if len(size) == 0 {
		return nil // required says so
	}
	if _, _, err := sides(size); err != nil {
		return configs.KeyError("size", "%v", err)
	}
	return nil
}

// Bind implements Transform.
func (t *Resize) Bind(in graph.Spec) (Step, error) {
	size, err := newSized(in, t.Size)
	if err != nil {
		return nil, err
	}
	s := &resize{sized: size}
	scaleH, scaleW := float64(s.toH)/float64(s.h), float64(s.toW)/float64(s.w)
	switch t.Fit {
	case "crop":
		scaleH = max(scaleH, scaleW)
		scaleW = scaleH
	case "pad":
		scaleH = min(scaleH, scaleW)
		scaleW = scaleH
	}
	s.rows, s.cols = newTaps(s.h, s.toH, scaleH), newTaps(s.w, s.toW, scaleW)
	return s, nil
}

type resize struct {
	sized
	rows, cols []taps
}

// Apply resamples rows of each output row first, then columns.
func (s *resize) Apply(dst, src []float32, _ Draw) {
	for c := range s.channels {
		plane := src[c*s.h*s.w : (c+1)*s.h*s.w]
		for y, row := range s.rows {
			out := dst[(c*s.toH+y)*s.toW : (c*s.toH+y+1)*s.toW]
			for x, col := range s.cols {
				sum := float32(0)
				for i, wy := range row.weights {
					line := plane[(row.first+i)*s.w+col.first:]
					part := float32(0)
					for j, wx := range col.weights {
						part += float32(wx * line[j])
					}
					sum += float32(wy * part)
				}
				out[x] = sum
			}
		}
	}
}

// taps are the input pixels that one output pixel is made of, and their weights (they sum to 1); none is padding.
type taps struct {
	first   int
	weights []float32
}

// newTaps maps the middles of n input pixels, scaled, onto the middle of m output pixels.
func newTaps(n, m int, scale float64) []taps {
	all := make([]taps, m)
	radius := max(1, 1/scale) // of the triangle, in input pixels
	for o := range all {
		center := (float64(o)+0.5-float64(m)/2)/scale + float64(n)/2 // in input pixels
		if center < 0 || center > float64(n) {
			continue
		}
		first := max(0, int(math.Floor(center-radius)))
		last := min(n-1, int(math.Ceil(center+radius)))
		var weights []float64
		sum, from := 0.0, -1
		for i := first; i <= last; i++ {
			w := 1 - math.Abs(float64(i)+0.5-center)/radius
			if w <= 0 {
				continue
			}
			if from < 0 {
				from = i
			}
			weights = append(weights, w)
			sum += w
		}
		all[o].first = from
		for _, w := range weights {
			all[o].weights = append(all[o].weights, float32(w/sum))
		}
	}
	return all
}
