package op

import "aetrain/graph"

func init() { add(NormalOp{}) }

// Normal draws standard normal float32 numbers of shape dims; see [RNG] for which. No dims are a scalar.
// The name tells draws of one path apart.
func Normal(r RNG, name string, dims ...int) graph.Value {
	return apply(NormalOp{Stream: r.stream(name), Dims: dims}, r.inputs()...)
}

// NormalOp is the op of [Normal]: its inputs are seed, step and row0, its numbers [philox.NormalsRow], bit by bit.
type NormalOp struct {
	Stream uint32
	Dims   graph.Shape
}

func (NormalOp) Name() string        { return "Normal" }
func (NormalOp) Arguments() []string { return []string{"seed", "step", "row0"} }

func (o NormalOp) Infer(in []graph.Spec) ([]graph.Spec, error) { return wantDraw(in, o.Dims) }

func (NormalOp) VJP(*graph.Node, []graph.Value) []graph.Value { return none(3) }

func (o NormalOp) Eval(out, in []graph.Tensor) { draw(out[0], in, o.Stream, normals) }

func (NormalOp) Examples() []graph.Example {
	return draws(func(dims graph.Shape) graph.Op { return NormalOp{Stream: 0x9e3779b9, Dims: dims} })
}
