package data

import (
	"fmt"
	"math"

	"aetrain/graph"
	"aetrain/op"
)

// mostShrunk is how many times as long as the result a window's side may be in ops: each pixel of the result is then made of at most
// twice as many, one after the other.
const mostShrunk = 4

// Ops cuts windows of training. With Scale sides are computed in float32: one image in some ten thousand gets a window that is a pixel
// larger or smaller than the loader's.
func (s *randomCrop) Ops(x graph.Value, d OpDraw) (graph.Value, error) {
	n := x.Dim(0)
	if s.scale == nil {
		u := d.uniform(n, 2)
		y, left := begins(word(u, 0), float64(s.h), float64(s.toH)), begins(word(u, 1), float64(s.w), float64(s.toW))
		own := numbers(x, func(i int) float64 { return float64(i/s.toW*s.w + i%s.toW) }, 1, s.toH*s.toW)
		return pick(x, op.Add(op.Add(op.Scale(y, float64(s.w)), left), own), s.toH, s.toW)
	}
	if s.h > mostShrunk*s.toH || s.w > mostShrunk*s.toW {
		return x, fmt.Errorf("it shrinks images more than %d times", mostShrunk)
	}
	u := d.uniform(n, 4*(1+cropTries))
	h, w := s.drawnOps(op.Reshape(op.Slice(u, 1, 4, 4*(1+cropTries)), n, cropTries, 4))
	y := op.Floor(op.Mul(word(u, 0), op.AddConst(op.Neg(h), float64(s.h+1))))
	left := op.Floor(op.Mul(word(u, 1), op.AddConst(op.Neg(w), float64(s.w+1))))
	x, err := resample(x, newTapOps(left, w, s.w, s.toW), true)
	if err != nil {
		return x, err
	}
	return resample(x, newTapOps(y, h, s.h, s.toH), false)
}

// begins is where windows of a length begin.
func begins(u graph.Value, from, length float64) graph.Value {
	return op.Floor(op.Scale(u, from-length+1))
}

// drawnOps is drawn for N examples: u is N×tries×4, the sides are N×1.
func (s *randomCrop) drawnOps(u graph.Value) (h, w graph.Value) {
	n, g := u.Dim(0), u.Graph()
	column := func(i int) graph.Value { return op.Reshape(op.Slice(u, 2, i, i+1), n, cropTries) }
	pixels := float64(s.h) * float64(s.w)
	area := op.AddConst(op.Scale(column(0), pixels*(s.scale[1]-s.scale[0])), pixels*s.scale[0])
	ratio := op.Scale(op.Exp(op.Scale(symmetric(column(1)), math.Log(cropStretch))), float64(s.toW)/float64(s.toH))
	rounded := func(v graph.Value) graph.Value { return op.Floor(op.AddConst(op.Sqrt(v), 0.5)) }
	hs, ws := rounded(op.Div(area, ratio)), rounded(op.Mul(area, ratio))
	fits := func(v graph.Value, most int) graph.Value {
		return op.Mul(op.GreaterEqual(v, g.Scalar(1)), op.LessEqual(v, g.Scalar(float64(most))))
	}
	fit := op.Mul(fits(hs, s.h), fits(ws, s.w))
	largestH, largestW := s.largest()
	h, w = g.Constant(graph.F32(n, 1), float64(largestH)), g.Constant(graph.F32(n, 1), float64(largestW))
	for try := cropTries - 1; try >= 0; try-- { // the first that fits is the last to be chosen
		h, w = op.Select(word(fit, try), word(hs, try), h), op.Select(word(fit, try), word(ws, try), w)
	}
	return h, w
}

// tapOps are [taps] of windows that differ from example to example: for pixel o of the result, tap k is pixel places[k] of the axis
// with weight weights[k], both N×to.
type tapOps struct {
	to              int
	places, weights []graph.Value
}

// newTapOps maps windows, which begin at pixel first of an axis of from pixels and are length long (both N×1), onto to pixels.
func newTapOps(first, length graph.Value, from, to int) tapOps {
	t := tapOps{to: to}
	step := op.Scale(length, 1/float64(to)) // pixels of the window for one of the result
	radius := op.Maximum(step, length.Graph().Scalar(1))
	middles := numbers(length, func(o int) float64 { return float64(o) + 0.5 - float64(to)/2 }, 1, to)
	centre := op.Add(op.Mul(middles, step), op.Scale(length, 0.5)) // in the window
	begin := op.Floor(op.AddConst(op.Sub(centre, radius), 0.5))
	var sum graph.Value
	for k := range int(math.Ceil(2 * max(1, float64(from)/float64(to)))) {
		at := op.AddConst(begin, float64(k))
		away := op.Abs(op.Sub(op.AddConst(at, 0.5), centre))
		weight := op.ReLU(op.AddConst(op.Neg(op.Div(away, radius)), 1))
		weight = op.Mul(weight, op.Mul(op.GreaterEqual(at, length.Graph().Scalar(0)), op.Less(at, length)))
		place := op.Add(op.Clamp(at, 0, float64(from-1)), first)
		t.places = append(t.places, op.Clamp(place, 0, float64(from-1)))
		t.weights = append(t.weights, weight)
		if k == 0 {
			sum = weight
		} else {
			sum = op.Add(sum, weight)
		}
	}
	for k, w := range t.weights {
		t.weights[k] = op.Div(w, sum)
	}
	return t
}

// resample brings one axis of images, N×C×H×W, to its new length: along rows the last, else the one before.
func resample(x graph.Value, t tapOps, alongRows bool) (graph.Value, error) {
	n, h, w := x.Dim(0), x.Dim(2), x.Dim(3)
	toH, toW := h, t.to
	if !alongRows {
		toH, toW = t.to, w
	}
	var sum graph.Value
	for k, place := range t.places {
		var at, weight graph.Value
		if alongRows {
			rows := numbers(x, func(i int) float64 { return float64(i * w) }, 1, h, 1)
			at, weight = op.Add(op.Reshape(place, n, 1, t.to), rows), op.Reshape(t.weights[k], n, 1, 1, t.to)
		} else {
			cols := numbers(x, func(i int) float64 { return float64(i) }, 1, 1, w)
			at, weight = op.Add(op.Scale(op.Reshape(place, n, t.to, 1), float64(w)), cols), op.Reshape(t.weights[k], n, 1, t.to, 1)
		}
		pixel, err := pick(x, op.Reshape(at, n, toH*toW), toH, toW)
		if err != nil {
			return x, err
		}
		part := op.Mul(pixel, weight)
		if k == 0 {
			sum = part
		} else {
			sum = op.Add(sum, part)
		}
	}
	return sum, nil
}
