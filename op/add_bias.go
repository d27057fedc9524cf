package op

import (
	"fmt"

	"aetrain/graph"
)

// AddBias adds bias, a vector of length x.Dim(1), on axis 1: to each channel of images N×C×H×W, to each column of a
// matrix N×D. The axes of sequences N×T×D end in the features: use [Add] for them.
// It is a broadcast and an addition, which the compiler joins to the product or convolution before it.
func AddBias(x, bias graph.Value) graph.Value {
	if g := x.Graph(); g != nil && g.Err() == nil && (bias.Rank() != 1 || bias.Dim(0) != x.Dim(1) || x.Rank() < 2) {
		g.Fail(fmt.Errorf("AddBias: a bias of %v does not fit axis 1 of %v", bias.Shape(), x.Shape()))
		return x
	}
	return Add(x, onChannels(bias, x.Rank()))
}

// onChannels gives a vector the axes C×1×1..., so that it broadcasts along axis 1 of a value of this rank.
func onChannels(v graph.Value, rank int) graph.Value {
	dims := make([]int, max(1, rank-1))
	for i := range dims {
		dims[i] = 1
	}
	dims[0] = v.Dim(0)
	return Reshape(v, dims...)
}
