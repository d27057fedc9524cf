package model

import (
	"fmt"
	"math"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

func init() {
	Bottlenecks.Add("fsq", func() Bottleneck { return &FSQ{Levels: []int{8, 5, 5, 5}, Init: "torch"} })
}

// FSQ is finite scalar quantisation: the encoder's output is projected to a few channels (encoder.code), each squashed to an
// interval and rounded to one of its levels, so that the codebook is a grid that nobody has to learn. The code lies in [-1, 1].
// Source: Mentzer et al. 2023, "Finite Scalar Quantization: VQ-VAE Made Simple", section 3 and appendix A.1.
type FSQ struct {
	Levels []int  `toml:"levels" min:"2" doc:"numbers of values of each channel of the code; their product is the size of the codebook" example:"[8, 5, 5, 5]"`
	Init   string `toml:"init" choices:"torch|he|xavier|orthogonal" doc:"how the projection's weights start, and those of its mirror"`
}

// mostCodes keeps indices exact in float32.
const mostCodes = 1 << 24

// Validate wants a grid whose indices are exact.
func (b *FSQ) Validate() error {
	codes := 1
	for _, l := range b.Levels {
		if codes > mostCodes/l {
			return configs.KeyError("levels", "%v make more than %d codes: take fewer or smaller levels", b.Levels, mostCodes)
		}
		codes *= l
	}
	if len(b.Levels) == 0 {
		return configs.KeyError("levels", "there are none: [8, 5, 5, 5] is a codebook of 1000")
	}
	return nil
}

// Code has one channel for each of the levels.
func (b *FSQ) Code(h graph.Shape, latentDim int) (graph.Shape, error) {
	if latentDim != 0 && latentDim != len(b.Levels) {
		return nil, fmt.Errorf("fsq's code has one channel for each of its levels %v: latent_dim = 0 or %d, not %d", b.Levels, len(b.Levels), latentDim)
	}
	return withChannels(h, len(b.Levels)), nil
}

// Encode projects, squashes and rounds; gradients pass the rounding as if it were not there.
func (b *FSQ) Encode(s *nn.Scope, h graph.Value, _ int) Latent {
	g := s.Graph()
	z := projectEach(s, "code", h, len(b.Levels), b.Init)
	half, offset, shift, width, base := b.grid()
	row := func(v []float64) graph.Value { return g.Constant(graph.F32(1, len(v)), v...) }
	rows := toRows(z)
	bounded := op.Sub(op.Mul(op.Tanh(op.Add(rows, row(shift))), row(half)), row(offset))
	whole := op.Round(op.Stop(bounded))
	code := op.Div(op.StraightThrough(whole, bounded), row(width))
	index := op.Cast(op.ReduceSum(op.Mul(op.Add(whole, row(width)), row(base)), 1), graph.Int32)
	return Latent{
		Z:       fromRows(code, h.Dim(0), withChannels(h.Shape()[1:], len(b.Levels))),
		Outputs: map[string]graph.Value{"indices": indexOutput([]graph.Value{index}, h.Dim(0), positionsOf(h.Shape()[1:]))},
		Terms: func(*nn.Scope, *Forward) []Term {
			return []Term{{Name: "perplexity", Log: perplexityOf(index, b.codes())}}
		},
	}
}

// codes is the size of the grid.
func (b *FSQ) codes() int {
	n := 1
	for _, l := range b.Levels {
		n *= l
	}
	return n
}

// grid returns, for each channel of L levels: the half width of the interval, a little more than (L-1)/2; an offset of 1/2 for
// even L, whose values lie at -L/2 ... L/2-1; the shift by which tanh(shift) lands in the middle; L/2 rounded down, by which the
// code is divided; and the base of the channel in the index.
func (b *FSQ) grid() (half, offset, shift, width, base []float64) {
	const eps = 1e-3
	step := 1.0
	for _, l := range b.Levels {
		h := float64(l-1) * (1 + eps) / 2
		o := 0.0
		if l%2 == 0 {
			o = 0.5
		}
		half, offset, shift = append(half, h), append(offset, o), append(shift, math.Atanh(o/h))
		width, base = append(width, float64(l/2)), append(base, step)
		step *= float64(l)
	}
	return half, offset, shift, width, base
}

// perplexityOf is the exponential of the entropy of the indices' use.
func perplexityOf(index graph.Value, codes int) graph.Value {
	const tiny = 1e-10 // 0·log 0 is 0
	n := index.Dim(0)
	share := op.Scale(op.ScatterAdd(index, index.Graph().Constant(graph.F32(n), 1), codes), 1/float64(n))
	return op.Exp(op.Neg(op.SumAll(op.Mul(share, op.Log(op.AddConst(share, tiny))))))
}

// Reverse leads back to h.
func (b *FSQ) Reverse(h graph.Shape, _ int, tied string) []nn.Layer {
	return reverseEach(h, len(b.Levels), b.Init, tied, "code")
}

// Bound is that of a plain loss.
func (*FSQ) Bound() (kind string, samples int) { return "elbo", 1 }

// Activation is linear.
func (*FSQ) Activation(*nn.Stack, int) string { return "linear" }
