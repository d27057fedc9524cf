package op

import "aetrain/graph"

func init() { add(UniformOp{}) }

// Uniform draws float32 numbers from [0, 1), multiples of 2^-24, of shape dims; see [RNG] for which. No dims are a scalar.
// The name tells draws of one path apart.
func Uniform(r RNG, name string, dims ...int) graph.Value {
	return apply(UniformOp{Stream: r.stream(name), Dims: dims}, r.inputs()...)
}

// UniformOp is the op of [Uniform]: its inputs are seed, step and row0, its numbers [philox.Uniforms].
type UniformOp struct {
	Stream uint32
	Dims   graph.Shape
}

func (UniformOp) Name() string        { return "Uniform" }
func (UniformOp) Arguments() []string { return []string{"seed", "step", "row0"} }

func (o UniformOp) Infer(in []graph.Spec) ([]graph.Spec, error) { return wantDraw(in, o.Dims) }

func (UniformOp) VJP(*graph.Node, []graph.Value) []graph.Value { return none(3) }

func (o UniformOp) Eval(out, in []graph.Tensor) { draw(out[0], in, o.Stream, uniforms) }

func (UniformOp) Examples() []graph.Example {
	return draws(func(dims graph.Shape) graph.Op { return UniformOp{Stream: 0x9e3779b9, Dims: dims} })
}
