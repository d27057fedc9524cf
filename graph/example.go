package graph

import "math/rand/v2"

// Example is a case of an op: its attributes, and how its inputs are drawn.
type Example struct {
	Op    Op
	Args  []Arg
	Bench bool // timed, too large for differences
	// Kinked marks a gradient with jumps (max, comparisons): second derivatives are not compared with differences.
	Kinked bool
	// Chosen marks a gradient that is not the derivative (straight-through): the op's own test holds it to the choice.
	Chosen bool
	// Tolerance is the relative error that float32 kernels may have, 0 for the suite's own.
	Tolerance float64
}

// Arg says how an input is drawn: Values where given, else uniform in [From, To); integer types draw From <= i < To.
type Arg struct {
	Spec     Spec
	From, To float64
	Values   []float64
	Fixed    bool // switches something and has no derivative: not differenced
}

// Draw returns the inputs of example e for a seed.
func (e Example) Draw(seed uint64) []Tensor {
	rng := rand.New(rand.NewPCG(seed, 0))
	in := make([]Tensor, len(e.Args))
	for i, a := range e.Args {
		in[i] = NewTensor(a.Spec)
		for j := range in[i].Data {
			switch {
			case a.Values != nil:
				in[i].Data[j] = a.Values[j]
			case a.Spec.DType == Float32:
				// Rounded, so that a float32 kernel sees the very same number.
				in[i].Data[j] = float64(float32(a.From + (a.To-a.From)*rng.Float64()))
			default:
				in[i].Data[j] = float64(int(a.From) + rng.IntN(max(1, int(a.To-a.From))))
			}
		}
	}
	return in
}
