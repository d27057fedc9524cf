package cpu

import (
	"aetrain/graph"
	"aetrain/op"
)

// bindConvWeightDirect takes dot products of dy's planes with the window, tap by tap. A task owns channels of x and all that is
// summed for them, so nothing has to be combined. It suits groups of few channels.
func bindConvWeightDirect(b *binder, s *step) error {
	o, x, dy := s.Op.(op.ConvWeightGrad), s.Case.In[0].Shape, s.Case.In[1].Shape
	g := newDirectWeight(o, x, dy)
	g.x, g.dy, g.dw, g.dot = s.in[0].f32, s.in[1].f32, s.out[0].f32, b.b.vec.Dot
	block := g.win.plane + windowSlack
	b.scratch(block + g.flat)
	b.phase(x[1], func(w *worker, c int) {
		g.channel(w.local[:block], w.local[block:block+g.flat], c)
	})
	return nil
}

// directWeight is the gradient of a weight whose window has its columns dealt by the stride.
type directWeight struct {
	n, ci, co, xC, dyC int
	h, w, strideH      int
	win                window
	taps               []int
	step, flat         int // floats from row to row of dy as the window has them; of a plane
	x, dy, dw          []float32
	dot                func(a, b []float32) float32
}

func newDirectWeight(o op.ConvWeightGrad, x, dy graph.Shape) *directWeight {
	eh, ew := o.Extent(o.KH, o.KW)
	g := &directWeight{
		n: x[0], ci: x[1] / o.Groups, co: dy[1] / o.Groups, xC: x[1], dyC: dy[1], h: dy[2], w: dy[3], strideH: o.StrideH,
	}
	g.win.split = o.StrideW
	g.win.set(1, x[2], x[3], -o.PadTop, -o.PadLeft, (g.h-1)*o.StrideH+eh, (g.w-1)*o.StrideW+ew)
	for i := range o.KH {
		for j := range o.KW {
			g.taps = append(g.taps, g.win.offset(i*o.DilationH, j*o.DilationW))
		}
	}
	g.step = g.w
	if o.StrideH == 1 {
		g.step = g.win.pitch // whole planes at once
	}
	g.flat = (g.h-1)*g.step + g.w
	return g
}

// channel computes dW of channel c of x: for each image and each channel of dy of c's group.
func (g *directWeight) channel(win, flat []float32, c int) {
	group, plane := c/g.ci, g.win.h*g.win.w
	for o := range g.co {
		clear(g.weights(group*g.co+o, c%g.ci))
	}
	clear(flat)
	for n := range g.n {
		g.win.fill(win, g.x[(n*g.xC+c)*plane:], 0, g.win.height, 0, 1)
		for o := group * g.co; o < (group+1)*g.co; o++ {
			dy := g.dy[(n*g.dyC+o)*g.h*g.w:][:g.h*g.w]
			for r := range g.h {
				copy(flat[r*g.step:], dy[r*g.w:(r+1)*g.w])
			}
			dw := g.weights(o, c%g.ci)
			for i, tap := range g.taps {
				dw[i] += g.sum(win[tap:], flat)
			}
		}
	}
}

// weights is the filter of one channel of dy and one of a group of x.
func (g *directWeight) weights(o, c int) []float32 {
	n := len(g.taps)
	return g.dw[(o*g.ci+c)*n : (o*g.ci+c+1)*n]
}

// sum multiplies dy's pixels by the window's; where rows of dy are as far apart as the window's, what lies between them is zero.
func (g *directWeight) sum(win, flat []float32) float32 {
	if g.strideH == 1 {
		return g.dot(win[:g.flat], flat)
	}
	total := float32(0)
	for r := range g.h {
		from := r * g.strideH * g.win.pitch
		total += g.dot(win[from:from+g.w], flat[r*g.w:(r+1)*g.w])
	}
	return total
}
