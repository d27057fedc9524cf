package op

import (
	"errors"
	"fmt"
	"math"

	"aetrain/graph"
)

func init() {
	add(SelfAttention{Heads: 1})
	add(SelfAttentionGrad{Heads: 1})
}

// Attention is multi-head self-attention of sequences whose queries, keys and values stand side by side:
//
//	qkv: N×T×3D   mask: N×T, 1 where a time may be seen, the zero Value where all may   y: N×T×D
//	y = softmax(q·kᵀ/√(D/heads))·v, each head with its own part of the D features
//
// causal lets each time see itself and what lies before it, not what comes. What is not seen has no weight; a time that sees nothing
// takes the mean of all. No gradient flows to the mask.
// Source: Vaswani et al. 2017, "Attention Is All You Need", eq. 1 and section 3.2.2.
func Attention(qkv, mask graph.Value, heads int, causal bool) graph.Value {
	return graph.Apply(SelfAttention{Heads: heads, Causal: causal}, withMask([]graph.Value{qkv}, mask)...)[0]
}

// SelfAttention is the op of [Attention]. Its outputs are y and, for the gradient, the weights: N×Heads×T×T.
type SelfAttention struct {
	Heads  int
	Causal bool
}

// Unseen is the score of what attention must not see: exp makes 0 of it, and of a row of such scores the same for all.
const Unseen = -1e9

// Name returns "Attention".
func (SelfAttention) Name() string { return "Attention" }

// Arguments returns the names of the inputs.
func (SelfAttention) Arguments() []string { return []string{"qkv", "mask"} }

// Infer wants features that three times the heads divide.
func (o SelfAttention) Infer(in []graph.Spec) ([]graph.Spec, error) {
	n, t, d, err := o.sizes(in[0])
	if err == nil && len(in) > 1 {
		err = wantSpec("mask", in[1], n, t)
	}
	if err != nil {
		return nil, err
	}
	weights, err := sized(graph.Float32, n, o.Heads, t, t)
	return append([]graph.Spec{graph.F32(n, t, d)}, weights...), err
}

// sizes are examples, times and features of queries, keys and values N×T×3D.
func (o SelfAttention) sizes(qkv graph.Spec) (n, t, d int, err error) {
	if o.Heads < 1 {
		return 0, 0, 0, fmt.Errorf("heads is %d and must be at least 1", o.Heads)
	}
	if qkv.DType != graph.Float32 || len(qkv.Shape) != 3 || qkv.Shape[2]%(3*o.Heads) != 0 {
		return 0, 0, 0, fmt.Errorf("qkv is %v; want N×T×3D with queries, keys and values side by side, D a multiple of %d heads", qkv, o.Heads)
	}
	n, t, d = qkv.Shape[0], qkv.Shape[1], qkv.Shape[2]/3
	if n < 1 || t < 1 || d < 1 {
		return 0, 0, 0, errors.New("attention wants at least one example, one time and one feature")
	}
	return n, t, d, nil
}

// VJP is one fused op; where something flows back to the weights (a second derivative), it follows the expansion.
func (o SelfAttention) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	if !zeroConstant(dOut[1]) {
		return expandVJP(n, dOut)
	}
	d := apply(SelfAttentionGrad(o), append([]graph.Value{n.In[0], n.Value(1), dOut[0]}, n.In[1:]...)...)
	return append([]graph.Value{d}, make([]graph.Value, len(n.In)-1)...)
}

// Expand is the definition in small ops.
func (o SelfAttention) Expand(n *graph.Node) []graph.Value {
	qkv := n.In[0]
	x := o.split(qkv)
	scores := Scale(MatMul(x[0], x[1], false, true), o.scale(qkv.Dim(2)/3))
	if seen := o.seen(qkv, n.In[1:]); seen.Valid() {
		scores = Select(seen, scores, filled(scores, Unseen))
	}
	weights := Softmax(scores)
	return []graph.Value{o.join(MatMul(weights, x[2], false, false)), weights}
}

// scale is 1/√(D/Heads).
func (o SelfAttention) scale(d int) float64 { return 1 / math.Sqrt(float64(d/o.Heads)) }

// split cuts N×T×3D into three of N×Heads×T×D/Heads.
func (o SelfAttention) split(qkv graph.Value) [3]graph.Value {
	n, t, d := qkv.Dim(0), qkv.Dim(1), qkv.Dim(2)/3
	all := Transpose(Reshape(qkv, n, t, 3, o.Heads, d/o.Heads), 2, 0, 3, 1, 4)
	var parts [3]graph.Value
	for i := range parts {
		parts[i] = Reshape(Slice(all, 0, i, i+1), n, o.Heads, t, d/o.Heads)
	}
	return parts
}

// join puts N×Heads×T×D/Heads together to N×T×D.
func (o SelfAttention) join(x graph.Value) graph.Value {
	n, t := x.Dim(0), x.Dim(2)
	return Reshape(Transpose(x, 0, 2, 1, 3), n, t, o.Heads*x.Dim(3))
}

// seen is 1 where a time (the third axis) sees another (the last), N×Heads×T×T; the zero Value where all see all.
func (o SelfAttention) seen(qkv graph.Value, mask []graph.Value) graph.Value {
	n, t := qkv.Dim(0), qkv.Dim(1)
	var seen graph.Value
	if len(mask) > 0 {
		seen = BroadcastTo(Reshape(mask[0], n, 1, 1, t), n, o.Heads, t, t)
	}
	if !o.Causal || t == 1 {
		return seen
	}
	back := make([]float64, t*t)
	for i := range back {
		back[i] = truth(i%t <= i/t)
	}
	causal := BroadcastTo(qkv.Graph().Constant(graph.F32(1, 1, t, t), back...), n, o.Heads, t, t)
	if seen.Valid() {
		return Mul(seen, causal)
	}
	return causal
}

// sees reports whether time i of example n sees time j.
func (o SelfAttention) sees(mask []graph.Tensor, n, t, i, j int) bool {
	return (len(mask) == 0 || mask[0].Data[n*t+j] != 0) && (!o.Causal || j <= i)
}

// Eval is the definition.
func (o SelfAttention) Eval(out, in []graph.Tensor) {
	n, t, d, _ := o.sizes(in[0].Spec)
	size, row := d/o.Heads, 3*d
	for g := range n * o.Heads {
		x := in[0].Data[g/o.Heads*t*row+g%o.Heads*size:]
		y := out[0].Data[g/o.Heads*t*d+g%o.Heads*size:]
		for i := range t {
			p := out[1].Data[(g*t+i)*t:][:t]
			for j := range p {
				p[j] = Unseen
				if o.sees(in[1:], g/o.Heads, t, i, j) {
					p[j] = o.scale(d) * dot(x[i*row:][:size], x[j*row+d:])
				}
			}
			total := logSumExp(p)
			for j, s := range p {
				p[j] = math.Exp(s - total)
				for k := range size {
					y[i*d+k] += p[j] * x[j*row+2*d+k]
				}
			}
		}
	}
}

// dot is the sum of the products of a's elements with b's.
func dot(a, b []float64) float64 {
	sum := 0.0
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}

// Examples have one head and several, see all or back only, with and without a mask.
func (SelfAttention) Examples() []graph.Example {
	return attentionExamples(func(o SelfAttention, n, t, d int) graph.Example {
		return graph.Example{Op: o, Args: []graph.Arg{f32(n, t, 3*d)}}
	})
}

func attentionExamples(of func(o SelfAttention, n, t, d int) graph.Example) []graph.Example {
	masked := func(o SelfAttention, n, t, d int) graph.Example {
		e := of(o, n, t, d)
		e.Args = append(e.Args, maskArg(n, t))
		return e
	}
	return []graph.Example{
		of(SelfAttention{Heads: 2}, 2, 3, 4), of(SelfAttention{Heads: 1, Causal: true}, 1, 4, 3),
		masked(SelfAttention{Heads: 3}, 3, 3, 3), masked(SelfAttention{Heads: 1, Causal: true}, 3, 3, 2),
		of(SelfAttention{Heads: 1}, 2, 1, 1), bench(of(SelfAttention{Heads: 4}, 64, 64, 64)),
	}
}
