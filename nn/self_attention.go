package nn

import (
	"fmt"
	"math"

	"aetrain/graph"
	"aetrain/op"
)

// heads holds the keys of layers that attend.
type heads struct {
	Heads  int  `toml:"heads" min:"1" doc:"parts of the features that attend each on its own; the features are a multiple of it"`
	Causal bool `toml:"causal" doc:"each time sees itself and what lies before it, not what comes"`
}

// check wants a sequence whose features the heads share out.
func (h heads) check(in graph.Shape) error {
	if err := wantSequence(in); err != nil {
		return err
	}
	if in[1]%max(1, h.Heads) != 0 {
		return fmt.Errorf("heads = %d must divide its %d features", h.Heads, in[1])
	}
	return nil
}

// wantSequence refuses what is no sequence, with the layer that would help.
func wantSequence(in graph.Shape) error {
	switch len(in) {
	case 2:
		return nil
	case 3:
		return fmt.Errorf("it works on sequences, its input is %v: add { layer = \"patch_embed\", size = 4, units = 64 } before it", in)
	}
	return fmt.Errorf("it works on sequences, its input is %v: add { layer = \"reshape\", shape = [times, features] } before it", in)
}

// hidden is what is added to the score of a time that must not be seen: exp makes 0 of it, and of a row of such numbers the same for all.
const hidden = -1e9

// attend is multi-head self-attention over x, N×T×D:
//
//	in_proj_weight: 3D×D (of queries, keys, values)   in_proj_bias: 3D   out_proj.weight: D×D   out_proj.bias: D
//	y = softmax(q·kᵀ/√(D/Heads) + mask)·v, each head on its own, then the output's projection
//
// The scope's mask hides times from all others. Weights start as PyTorch's MultiheadAttention has them.
// Source: Vaswani et al. 2017, "Attention Is All You Need", section 3.2.
func (h heads) attend(s *Scope, x graph.Value) graph.Value {
	if x.Rank() != 3 {
		return x // the graph has an error already
	}
	n, t, d := x.Dim(0), x.Dim(1), x.Dim(2)
	count := max(1, h.Heads)
	weight, bias := s.Param("in_proj_weight", xavierInit{}.Weight, 3*d, d), s.Param("in_proj_bias", nil, 3*d)
	rows := op.Reshape(x, n*t, d)
	project := func(i int) graph.Value { // N×Heads×T×D/Heads
		y := op.AddBias(op.MatMul(rows, op.Slice(weight, 0, i*d, (i+1)*d), false, true), op.Slice(bias, 0, i*d, (i+1)*d))
		return op.Transpose(op.Reshape(y, n, t, count, d/count), 0, 2, 1, 3)
	}
	scores := op.Scale(op.MatMul(project(0), project(1), false, true), 1/math.Sqrt(float64(d/count)))
	if m := h.mask(s, x); m.Valid() {
		scores = op.Add(scores, m)
	}
	y := op.MatMul(op.Softmax(scores), project(2), false, false)
	y = op.Reshape(op.Transpose(y, 0, 2, 1, 3), n*t, d)
	return op.Reshape(s.Within("out_proj", func(s *Scope) graph.Value {
		return op.AddBias(op.MatMul(y, s.Param("weight", torchInit{}.Weight, d, d), false, true), s.Param("bias", nil, d))
	}), n, t, d)
}

// mask is what is added to the scores, in a shape that broadcasts to N×Heads×T×T; the zero Value where every time sees all.
func (h heads) mask(s *Scope, x graph.Value) graph.Value {
	n, t := x.Dim(0), x.Dim(1)
	var sum graph.Value
	if valid := s.Mask(x); valid.Valid() {
		sum = op.Reshape(op.Scale(op.AddConst(valid, -1), -hidden), n, 1, 1, t)
	}
	if !h.Causal || t == 1 {
		return sum
	}
	later := make([]float64, t*t)
	for i := range later {
		if i%t > i/t {
			later[i] = hidden
		}
	}
	causal := s.Graph().Constant(graph.F32(1, 1, t, t), later...)
	if sum.Valid() {
		return op.Add(sum, causal)
	}
	return causal
}

// onlyValid sets what the scope's mask hides to 0, so that nothing depends on what stands there.
func onlyValid(s *Scope, y graph.Value) graph.Value {
	valid := s.Mask(y)
	if !valid.Valid() {
		return y
	}
	return op.Mul(y, op.Reshape(valid, y.Dim(0), y.Dim(1), 1))
}
