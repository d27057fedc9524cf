package model

import (
	"fmt"

	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

func init() { Corruptions.Add("warp", func() Corruption { return &Warp{Sigma: 0.03, Grid: 5} }) }

// Warp bends images: the points of a coarse grid are moved by normal noise, those in between by what lies between (bilinear), and
// each pixel is read where its point has come to lie; beyond the edge the image goes on as its edge. The target stays as it was, so
// that a decoder learns to straighten what it is shown.
// Source: Perov et al. 2020, "DeepFaceLab: Integrated, flexible and extensible face-swapping framework", section 3.2.
type Warp struct {
	Sigma float64 `toml:"sigma" min:"0" doc:"standard deviation of the moves, as a share of the image's side"`
	Grid  int     `toml:"grid" min:"1" doc:"points of the grid along each side"`
}

// Check wants images.
func (c *Warp) Check(m *Model) error {
	if len(m.X) != 3 {
		return fmt.Errorf("warp bends images, x is %v: choose gaussian or masking", m.X)
	}
	return nil
}

// Corrupt reads every pixel elsewhere, between four of its neighbours; every element is replaced.
func (c *Warp) Corrupt(s *nn.Scope, x graph.Value) (corrupted, changed graph.Value) {
	g, n, channels, h, w := s.Graph(), x.Dim(0), x.Dim(1), x.Dim(2), x.Dim(3)
	top, left, down, right := c.places(s, n, h, w)
	rows := op.Reshape(op.Transpose(x, 0, 2, 3, 1), n*h*w, channels)
	first := make([]float64, n) // row of each image's first pixel
	for i := range first {
		first[i] = float64(i * h * w)
	}
	base := op.Reshape(op.BroadcastTo(g.Constant(graph.I32(n, 1), first...), n, h*w), n*h*w)
	at := func(dy, dx float64) graph.Value { // the neighbours that lie dy below and dx to the right
		y := op.Clamp(op.AddConst(top, dy), 0, float64(h-1))
		x := op.Clamp(op.AddConst(left, dx), 0, float64(w-1))
		return op.Gather(rows, op.AddInt(base, op.Cast(op.Reshape(op.Add(op.Scale(y, float64(w)), x), n*h*w), graph.Int32)))
	}
	down, right = op.Reshape(down, n*h*w, 1), op.Reshape(right, n*h*w, 1)
	between := func(a, b, share graph.Value) graph.Value { return op.Add(a, op.Mul(op.Sub(b, a), share)) }
	upper := between(at(0, 0), at(0, 1), right)
	lower := between(at(1, 0), at(1, 1), right)
	bent := op.Reshape(between(upper, lower, down), n, h, w, channels)
	return op.Transpose(bent, 0, 3, 1, 2), g.Constant(graph.F32(x.Shape()...), 1)
}

// places says where each pixel is read, N×H×W each: the row and column of the pixel above and to the left, and how far below and to
// the right of it the place lies, 0 to 1.
func (c *Warp) places(s *nn.Scope, n, h, w int) (top, left, down, right graph.Value) {
	g := s.Graph()
	scaleH, scaleW := (h+c.Grid-1)/c.Grid, (w+c.Grid-1)/c.Grid
	moves := op.Upsample2D(s.Normal("moves", graph.Shape{n, 2, c.Grid, c.Grid}), scaleH, scaleW, op.Bilinear)
	moves = op.Slice(op.Slice(moves, 2, 0, h), 3, 0, w)
	rows, columns := make([]float64, h*w), make([]float64, h*w)
	for i := range rows {
		rows[i], columns[i] = float64(i/w), float64(i%w)
	}
	axis := func(k, side int, own []float64) (before, share graph.Value) {
		move := op.Scale(op.Reshape(op.Slice(moves, 1, k, k+1), n, h, w), c.Sigma*float64(side))
		place := op.Clamp(op.Add(move, g.Constant(graph.F32(h, w), own...)), 0, float64(side-1))
		before = op.Floor(place)
		return before, op.Sub(place, before)
	}
	top, down = axis(0, h, rows)
	left, right = axis(1, w, columns)
	return top, left, down, right
}
