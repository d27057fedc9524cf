package op

import (
	"fmt"

	"aetrain/graph"
)

func init() { add(BernoulliPOp{}) }

// BernoulliP is [Bernoulli] with the probability in a float32 scalar, so that a schedule may feed it. No gradient flows to p.
func BernoulliP(r RNG, name string, p graph.Value, dims ...int) graph.Value {
	return apply(BernoulliPOp{Stream: r.stream(name), Dims: dims}, r.inputs(p)...)
}

// BernoulliPOp is the op of [BernoulliP]: its inputs are p, seed, step and row0.
type BernoulliPOp struct {
	Stream uint32
	Dims   graph.Shape
}

func (BernoulliPOp) Name() string        { return "BernoulliP" }
func (BernoulliPOp) Arguments() []string { return []string{"p", "seed", "step", "row0"} }

func (o BernoulliPOp) Infer(in []graph.Spec) ([]graph.Spec, error) {
	if !in[0].Equal(graph.F32()) {
		return nil, fmt.Errorf("p is %v, wants a float32 scalar", in[0])
	}
	return wantDraw(in[1:], o.Dims)
}

func (BernoulliPOp) VJP(*graph.Node, []graph.Value) []graph.Value { return none(4) }

func (o BernoulliPOp) Eval(out, in []graph.Tensor) {
	drawBelow(out[0], in[1:], o.Stream, in[0].Data[0])
}

func (BernoulliPOp) Examples() []graph.Example {
	p := graph.Arg{Spec: graph.F32(), From: 0.2, To: 0.8, Fixed: true}
	return draws(func(dims graph.Shape) graph.Op { return BernoulliPOp{Stream: 0x9e3779b9, Dims: dims} }, p)
}
