package model

import (
	"slices"
	"testing"

	"aetrain/graph"
)

// An encoder may begin by making an image of a vector or a matrix; its mirror gives what the data has, elements in their order.
func TestEncoderThatBeginsWithReshape(t *testing.T) {
	layers := func(shape string) string {
		return "encoder = [{ layer = \"reshape\", shape = " + shape + " }, { layer = \"conv2d\", filters = [2, 3], kernel = 3, stride = 2, padding = \"same\" }]\n"
	}
	for _, c := range []struct {
		name, text string
		x, raw     []int
	}{
		{"vector", layers("[3, 5, 7]"), []int{105}, []int{105}},
		{"image without channels", layers("[1, 9, 11]"), []int{9, 11}, []int{9, 11}},
		{"image of other channels", layers("[1, 10, 7]"), []int{2, 5, 7}, []int{2, 5, 7}},
		{"mean and variance of a vector", layers("[1, 5, 7]") + "reconstruction = { kind = \"gaussian\", variance = \"per-feature\" }\n", []int{35}, []int{70}},
		{"nothing behind it", "encoder = [{ layer = \"reshape\", shape = [4, 3] }]\n", []int{12}, []int{12}},
	} {
		m := build(t, "[model]\nlatent_dim = 2\n"+c.text, c.x...)
		if !slices.Equal(m.Raw, c.raw) || m.Decoder.Out.Size() != m.Raw.Size() {
			t.Errorf("%s: the decoder gives %v for %v, want %v", c.name, m.Decoder.Out, m.Raw, c.raw)
		}
		fn, fed := train(t, m, 2)
		want := append(graph.Shape{2}, c.x...)
		if got := evaluate(t, fed, fn.Forward.Recon.Mean()).Shape; !got.Equal(want) {
			t.Errorf("%s: reconstruction is %v, want %v", c.name, got, want)
		}
	}
	got := sentence("[model]\nlatent_dim = 2\n"+layers("[1, 5, 7]")+"reconstruction = { kind = \"gaussian\", variance = \"per-feature\" }\n", 5, 7)
	if want := "t.toml:1: model.decoder: gives 2x5x7, the input is 5x7, for which gaussian needs 5x14: write the decoder out"; got != want {
		t.Errorf("variances of a sequence by an image:\n got %s\nwant %s", got, want)
	}
}
