package data

import (
	"fmt"

	"aetrain/graph"
	"aetrain/op"
)

func init() { transforms.Add("gray", func() Transform { return &Gray{} }) }

// Gray makes one channel of three, by luma; grey images stay as they are.
// Source: ITU-R BT.601, as in Pillow and torchvision.
type Gray struct{}

// Bind implements Transform.
func (*Gray) Bind(in graph.Spec) (Step, error) {
	c, h, w, err := imageSize(in)
	if err != nil {
		return nil, err
	}
	if c != 1 && c != 3 {
		return nil, fmt.Errorf("wants images of 1 or 3 channels; they have %d", c)
	}
	return gray{graph.F32(1, h, w), c}, nil
}

type gray struct {
	out      graph.Spec
	channels int
}

func (s gray) Out() graph.Spec { return s.out }

func (s gray) Apply(dst, src []float32, _ Draw) {
	if s.channels == 1 {
		copy(dst, src)
		return
	}
	n := len(dst)
	red, green, blue := src[:n], src[n:2*n], src[2*n:3*n]
	for i := range dst {
		dst[i] = float32(0.299*red[i]) + float32(0.587*green[i]) + float32(0.114*blue[i])
	}
}

// Ops weighs the channels.
func (s gray) Ops(x graph.Value, _ OpDraw) (graph.Value, error) {
	if s.channels == 1 {
		return x, nil
	}
	return luma(x), nil
}

// luma is N×1×H×W of colours, N×3×H×W.
func luma(x graph.Value) graph.Value {
	return op.Add(op.Add(op.Scale(channel(x, 0), 0.299), op.Scale(channel(x, 1), 0.587)), op.Scale(channel(x, 2), 0.114))
}

// channel is plane c of images: N×1×H×W.
func channel(x graph.Value, c int) graph.Value { return op.Slice(x, 1, c, c+1) }
