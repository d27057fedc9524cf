package model

import (
	"aetrain/configs"
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

// positions lays a code out as rows, one for each position: a vector D has one, a sequence T×D has T, a map D×H×W has H·W.

// channelsOf is the length of the vector at each position of an example's shape.
func channelsOf(h graph.Shape) int {
	if len(h) == 3 {
		return h[0]
	}
	return h[len(h)-1]
}

// withChannels is shape h with vectors of another length.
func withChannels(h graph.Shape, channels int) graph.Shape {
	out := h.Clone()
	if len(h) == 3 {
		out[0] = channels
	} else {
		out[len(h)-1] = channels
	}
	return out
}

// positionsOf is h without its channels: none for a vector, T, or H×W.
func positionsOf(h graph.Shape) graph.Shape {
	if len(h) == 3 {
		return h[1:]
	}
	return h[:len(h)-1]
}

// toRows turns N×code into one row for each position: M×D.
func toRows(z graph.Value) graph.Value {
	if z.Rank() == 4 {
		z = op.Transpose(z, 0, 2, 3, 1)
	}
	return op.Reshape(z, z.Shape()[:z.Rank()-1].Size(), z.Dim(-1))
}

// fromRows turns rows M×D back into N×code.
func fromRows(rows graph.Value, n int, code graph.Shape) graph.Value {
	if len(code) == 3 {
		return op.Transpose(op.Reshape(rows, n, code[1], code[2], rows.Dim(1)), 0, 3, 1, 2)
	}
	return op.Reshape(rows, append([]int{n}, code...)...)
}

// pointwise is the layer that gives each position's vector another length: a dense layer, or a 1×1 convolution on maps.
func pointwise(h graph.Shape, channels int, init string) nn.Layer {
	if len(h) == 3 {
		l := nn.NewConv2D(channels, 1)
		l.Stride, l.Padding, l.Init = configs.Ints{1}, configs.IntsOrWord{Ints: configs.Ints{0}}, init
		return l
	}
	l := nn.NewDense(channels)
	l.Init = init
	return l
}

// projectEach projects each position of h to channels numbers, with the weights name.weight and name.bias; 0: not at all.
func projectEach(s *nn.Scope, name string, h graph.Value, channels int, init string) graph.Value {
	if channels == 0 {
		return h
	}
	return s.Within(name, func(s *nn.Scope) graph.Value {
		return pointwise(h.Shape()[1:], channels, init).Build(s, h)
	})
}

// reverseEach leads back from codes of channels numbers at each position to h; tied is the encoder's path or "".
func reverseEach(h graph.Shape, channels int, init, tied, name string) []nn.Layer {
	if channels == 0 {
		return nil
	}
	back := pointwise(withChannels(h, channels), channelsOf(h), init)
	if tied == "" {
		return []nn.Layer{back}
	}
	mirrored, err := pointwise(h, channels, init).Mirror(h) // a transposed convolution, which can share the weight
	if t, ok := back.(interface {
		Tied(path, init string) nn.Layer
	}); ok && len(h) != 3 {
		return []nn.Layer{t.Tied(graph.Join(tied, name), init)}
	}
	if err == nil && len(mirrored) == 1 {
		if t, ok := mirrored[0].(interface {
			Tied(path, init string) nn.Layer
		}); ok {
			return []nn.Layer{t.Tied(graph.Join(tied, name), init)}
		}
	}
	return []nn.Layer{back}
}
