package op

import (
	"fmt"

	"aetrain/graph"
)

func init() { add(BernoulliOp{P: 0.5}) }

// Bernoulli draws 1 with probability p and 0 otherwise, in shape dims: 1 where the number that [Uniform] would draw is below p,
// compared in float32. The name tells draws of one path apart. [BernoulliP] takes the probability from a value.
func Bernoulli(r RNG, name string, p float64, dims ...int) graph.Value {
	return apply(BernoulliOp{Stream: r.stream(name), P: p, Dims: dims}, r.inputs()...)
}

// BernoulliOp is the op of [Bernoulli]: its inputs are seed, step and row0.
type BernoulliOp struct {
	Stream uint32
	P      float64
	Dims   graph.Shape
}

func (BernoulliOp) Name() string        { return "Bernoulli" }
func (BernoulliOp) Arguments() []string { return []string{"seed", "step", "row0"} }

func (o BernoulliOp) Infer(in []graph.Spec) ([]graph.Spec, error) {
	if !(o.P >= 0 && o.P <= 1) {
		return nil, fmt.Errorf("%g is no probability", o.P)
	}
	return wantDraw(in, o.Dims)
}

func (BernoulliOp) VJP(*graph.Node, []graph.Value) []graph.Value { return none(3) }

func (o BernoulliOp) Eval(out, in []graph.Tensor) { drawBelow(out[0], in, o.Stream, o.P) }

// drawBelow fills out with 1 where a uniform number is below p, both float32.
func drawBelow(out graph.Tensor, rng []graph.Tensor, stream uint32, p float64) {
	draw(out, rng, stream, uniforms)
	for i, u := range out.Data {
		out.Data[i] = truth(float32(u) < float32(p))
	}
}

func (BernoulliOp) Examples() []graph.Example {
	of := func(p float64) func(dims graph.Shape) graph.Op {
		return func(dims graph.Shape) graph.Op { return BernoulliOp{Stream: 0x9e3779b9, P: p, Dims: dims} }
	}
	return append(draws(of(0.3)), draws(of(1))[0], draws(of(0))[0])
}
