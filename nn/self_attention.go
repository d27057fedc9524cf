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

// attend is multi-head self-attention over x, N×T×D:
//
//	in_proj_weight: 3D×D (of queries, keys, values)   in_proj_bias: 3D   out_proj.weight: D×D   out_proj.bias: D
//	y = softmax(q·kᵀ/√(D/Heads))·v, each head on its own, then the output's projection
//
// The scope's mask hides times from all others. Weights start as PyTorch's MultiheadAttention has them.
// Source: Vaswani et al. 2017, "Attention Is All You Need", section 3.2.
func (h heads) attend(s *Scope, x graph.Value) graph.Value {
	if x.Rank() != 3 {
		return x // the graph has an error already
	}
	return h.out(s, op.Attention(h.in(s, x), s.Mask(x), max(1, h.Heads), h.Causal))
}

// in are queries, keys and values of x, N×T×D, side by side: N×T×3D.
func (h heads) in(s *Scope, x graph.Value) graph.Value {
	n, t, d := x.Dim(0), x.Dim(1), x.Dim(2)
	weight, bias := s.Param("in_proj_weight", xavierInit{}.Weight, 3*d, d), s.Param("in_proj_bias", nil, 3*d)
	return op.Reshape(op.AddBias(op.MatMul(op.Reshape(x, n*t, d), weight, false, true), bias), n, t, 3*d)
}

// out is the output's projection.
func (h heads) out(s *Scope, y graph.Value) graph.Value {
	n, t, d := y.Dim(0), y.Dim(1), y.Dim(2)
	return op.Reshape(s.Within("out_proj", func(s *Scope) graph.Value {
		return op.AddBias(op.MatMul(op.Reshape(y, n*t, d), s.Param("weight", torchInit{}.Weight, d, d), false, true), s.Param("bias", nil, d))
	}), n, t, d)
}

// CanStep wants attention that looks back only.
func (h heads) CanStep() bool { return h.Causal }

// attendNow is attend for one time, x being N×1×D, which sees itself and those before it: their keys and values are kept.
func (h heads) attendNow(s *Scope, x graph.Value, m Moment) graph.Value {
	n, d, count := x.Dim(0), x.Dim(2), max(1, h.Heads)
	qkv := op.Reshape(h.in(s, x), n, 3, count, 1, d/count)
	part := func(i int) graph.Value { return op.Reshape(op.Slice(qkv, 1, i, i+1), n, count, 1, d/count) }
	kept := func(name string, now graph.Value) graph.Value { // N×Heads×Length×D/Heads
		// 0 where no time has been yet: an earlier sequence may have left NaN, which a weight of 0 would not hide.
		state, before := m.Before(s, name, s.Graph().Scalar(0), n, count, m.Length, d/count)
		all := op.Select(op.Reshape(m.Here(), 1, 1, m.Length, 1), now, before)
		s.Assign(state, all)
		return all
	}
	keys, values := kept("keys", part(1)), kept("values", part(2))
	scores := op.Scale(op.MatMul(part(0), keys, false, true), 1/math.Sqrt(float64(d/count)))
	scores = op.Select(op.Reshape(m.Reached(), 1, 1, 1, m.Length), scores, s.Graph().Constant(scores.Spec(), op.Unseen))
	return h.out(s, op.Reshape(op.MatMul(op.Softmax(scores), values, false, false), n, 1, d))
}

// onlyValid sets what the scope's mask hides to 0, so that nothing depends on what stands there.
func onlyValid(s *Scope, y graph.Value) graph.Value {
	valid := s.Mask(y)
	if !valid.Valid() {
		return y
	}
	return op.Mul(y, op.Reshape(valid, y.Dim(0), y.Dim(1), 1))
}
