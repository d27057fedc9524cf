package graph

// Identity returns its input: the same numbers under another Value. It tells uses apart: what an op reads through two inputs,
// or what two states are assigned. Compilers drop it.
type Identity struct{}

// Name returns "Identity".
func (Identity) Name() string { return "Identity" }

// Forwards tells compilers that the result is input 0.
func (Identity) Forwards() int { return 0 }

// Infer takes any type and shape.
func (Identity) Infer(in []Spec) ([]Spec, error) { return []Spec{in[0]}, nil }

// VJP passes the gradient on.
func (Identity) VJP(_ *Node, dOut []Value) []Value { return []Value{dOut[0]} }

// Eval copies.
func (Identity) Eval(out, in []Tensor) { copy(out[0].Data, in[0].Data) }

// Examples are a matrix and a counter.
func (Identity) Examples() []Example {
	return []Example{
		{Op: Identity{}, Args: []Arg{{Spec: F32(3, 5), From: -2, To: 2}}},
		{Op: Identity{}, Args: []Arg{{Spec: I32(), From: 0, To: 9}}},
	}
}
