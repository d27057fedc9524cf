package data

import (
	"slices"

	"aetrain/graph"
	"aetrain/internal/philox"
	"aetrain/op"
)

func init() {
	transforms.Add("flip", func() Transform { return &Flip{Axis: "horizontal", Probability: 0.5} })
}

// Flip mirrors images of training batches at random.
type Flip struct {
	Axis        string  `toml:"axis" choices:"horizontal|vertical" doc:"left and right change places, or top and bottom"`
	Probability float64 `toml:"probability" min:"0" max:"1" doc:"how often"`
}

// Bind implements Transform.
func (t *Flip) Bind(in graph.Spec) (Step, error) {
	c, h, w, err := imageSize(in)
	if err != nil {
		return nil, err
	}
	return flip{sameShape{in}, c, h, w, t.Axis == "vertical", float32(t.Probability)}, nil
}

type flip struct {
	sameShape
	channels, h, w int
	vertical       bool
	probability    float32
}

func (flip) trainingOnly() {}

func (s flip) Apply(dst, src []float32, d Draw) {
	copy(dst, src)
	if philox.Uniform(d.Block(0)[0]) >= s.probability {
		return
	}
	for c := range s.channels {
		plane := dst[c*s.h*s.w : (c+1)*s.h*s.w]
		if !s.vertical {
			for y := range s.h {
				slices.Reverse(plane[y*s.w : (y+1)*s.w])
			}
			continue
		}
		for y := range s.h / 2 {
			top, bottom := plane[y*s.w:(y+1)*s.w], plane[(s.h-1-y)*s.w:(s.h-y)*s.w]
			for x := range top {
				top[x], bottom[x] = bottom[x], top[x]
			}
		}
	}
}

func (flip) draws() {}

// Ops takes each pixel from its own place or from across the axis.
func (s flip) Ops(x graph.Value, d OpDraw) (graph.Value, error) {
	turned := func(i int) float64 {
		y, x := i/s.w, i%s.w
		if s.vertical {
			return float64((s.h-1-y)*s.w + x)
		}
		return float64(y*s.w + s.w - 1 - x)
	}
	own := func(i int) float64 { return float64(i) }
	turns := op.Less(d.uniform(x.Dim(0), 1), x.Graph().Scalar(float64(s.probability)))
	return pick(x, op.Select(turns, numbers(x, turned, 1, s.h*s.w), numbers(x, own, 1, s.h*s.w)), s.h, s.w)
}
