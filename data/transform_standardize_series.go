package data

import (
	"aetrain/graph"
	"aetrain/op"
)

// byChannel standardizes series, time×channels: a mean and a deviation for each channel, over all times.
type byChannel struct {
	standardize
}

func newByChannel(in graph.Spec) *byChannel {
	c := in.Shape[1]
	return &byChannel{standardize{sameShape: sameShape{in}, each: 1, moments: make([]moments, c), mean: make([]float32, c), std: make([]float32, c)}}
}

func (s *byChannel) Apply(dst, src []float32, d Draw) {
	for at := 0; at < len(src); at += len(s.mean) {
		s.standardize.Apply(dst[at:at+len(s.mean)], src[at:at+len(s.mean)], d)
	}
}

// Inverts is true of series of any length.
func (s *byChannel) Inverts(out graph.Spec) bool {
	return len(out.Shape) == 2 && out.Shape[1] == len(s.mean)
}

func (s *byChannel) Invert(dst, src []float32) {
	for at := 0; at < len(src); at += len(s.mean) {
		s.standardize.Invert(dst[at:at+len(s.mean)], src[at:at+len(s.mean)])
	}
}

func (s *byChannel) Observe(x []float32) {
	for at := 0; at < len(x); at += len(s.mean) {
		s.standardize.Observe(x[at : at+len(s.mean)])
	}
}

// Ops standardizes each channel.
func (s *byChannel) Ops(x graph.Value, _ OpDraw) (graph.Value, error) {
	return op.Div(op.Sub(x, learnt(x, s.mean, len(s.mean))), learnt(x, s.std, len(s.std))), nil
}
