package nn

import (
	"fmt"
	"strconv"

	"aetrain/graph"
	"aetrain/op"
)

func init() {
	Layers.Add("transformer", func() Layer { return &Transformer{heads: heads{Heads: 4}, Depth: 1, Positions: "none"} })
}

// mlpRatio is how many times as wide as the sequence a block's hidden layer is.
const mlpRatio = 4

// Transformer is Depth blocks over sequences T×Units, and a last layer norm. A block looks at its normed input, PyTorch's norm_first:
//
//	x += self_attn(norm1(x));  x += linear2(gelu(linear1(norm2(x))))
//	PATH.BLOCK.norm1, .self_attn (see [Attention]), .norm2, .linear1 (4·Units×Units), .linear2; PATH.norm
//
// Source: Dosovitskiy et al. 2021, "An Image is Worth 16x16 Words", eqs. 2-4; Xiong et al. 2020, "On Layer Normalization in the
// Transformer Architecture"; Vaswani et al. 2017, section 3.5 for the positions.
type Transformer struct {
	Common
	heads
	Units     int     `toml:"units" min:"1" doc:"features of the sequence, which are the input's; left out: the input's" example:"192"`
	Depth     int     `toml:"depth" min:"1" max:"1000" doc:"blocks, one behind the other"`
	Dropout   float64 `toml:"dropout" min:"0" below:"1" doc:"share of what a block adds, and of its hidden layer, that training sets to 0"`
	Positions string  `toml:"positions" choices:"none|sinusoidal|learned" doc:"what tells times apart, added to the input; patch_embed and embedding can bring their own"`
}

// Kind is "transformer".
func (*Transformer) Kind() string { return "transformer" }

// Output is the input's shape.
func (l *Transformer) Output(in graph.Shape) (graph.Shape, error) {
	if err := l.check(in); err != nil {
		return nil, err
	}
	if l.Units > 0 && l.Units != in[1] {
		return nil, fmt.Errorf("units = %d, its input %v has %d features: add { layer = \"dense\", units = %d } before it", l.Units, in, in[1], l.Units)
	}
	if _, err := checkImage(graph.Shape{in[0], in[1], mlpRatio}); err != nil {
		return nil, err
	}
	return in, nil
}

// Build adds the blocks.
func (l *Transformer) Build(s *Scope, x graph.Value) graph.Value {
	return onlyValid(s, l.blocks(s, addPositions(s, l.Positions, x), l.attend))
}

// Step is Build for one time, which sees itself and those before it.
func (l *Transformer) Step(s *Scope, x graph.Value, m Moment) graph.Value {
	return l.blocks(s, addPosition(s, l.Positions, x, m), func(s *Scope, x graph.Value) graph.Value { return l.attendNow(s, x, m) })
}

// blocks are all blocks, with their way to attend, and the last norm.
func (l *Transformer) blocks(s *Scope, x graph.Value, attend func(*Scope, graph.Value) graph.Value) graph.Value {
	for i := range max(1, l.Depth) {
		x = s.Within(strconv.Itoa(i), func(s *Scope) graph.Value { return l.block(s, x, attend) })
	}
	return normed(s, "norm", x)
}

// block adds what one block makes of x to it.
func (l *Transformer) block(s *Scope, x graph.Value, attend func(*Scope, graph.Value) graph.Value) graph.Value {
	first := normed(s, "norm1", x)
	attended := s.Within("self_attn", func(s *Scope) graph.Value { return attend(s, first) })
	x = op.Add(x, dropped(s, "dropout1", l.Dropout, attended))
	d := x.Dim(-1)
	linear := func(name string, units int, v graph.Value) graph.Value {
		return s.Within(name, func(s *Scope) graph.Value { return NewDense(units).Build(s, v) })
	}
	y := op.GELU(linear("linear1", mlpRatio*d, normed(s, "norm2", x)))
	y = linear("linear2", d, dropped(s, "dropout", l.Dropout, y))
	return op.Add(x, dropped(s, "dropout2", l.Dropout, y))
}

// normed is layer norm with the states name.weight and name.bias.
func normed(s *Scope, name string, x graph.Value) graph.Value {
	return s.Within(name, func(s *Scope) graph.Value { return newLayerNorm().Build(s, x) })
}

// dropped is dropout whose mask is drawn under a name.
func dropped(s *Scope, name string, rate float64, x graph.Value) graph.Value {
	if rate == 0 {
		return x
	}
	return s.Within(name, func(s *Scope) graph.Value { return (&Dropout{Rate: rate}).Build(s, x) })
}

// Mirror is another one, with weights of its own: the shape is kept.
func (l *Transformer) Mirror(graph.Shape) ([]Layer, error) {
	return []Layer{unnamed(duplicate(l))}, nil
}

// Causal returns the layer with causal = true.
func (l *Transformer) Causal() (Layer, error) {
	c := duplicate(l)
	c.heads.Causal = true
	return c, nil
}

// Width is the number of features, 0 where it was left out.
func (l *Transformer) Width() int { return l.Units }
