package op

import "aetrain/graph"

func init() { add(straightThrough{}) }

// StraightThrough returns exactly value and sends all of the gradient to gradientTo, as if it had been returned:
// the estimator of what has no gradient of its own (a code book's entry, a rounded number). Both have one shape.
// Source: Bengio, Léonard & Courville 2013, "Estimating or Propagating Gradients Through Stochastic Neurons for Conditional
// Computation", section 4; van den Oord et al. 2017, "Neural Discrete Representation Learning", section 3.2.
func StraightThrough(value, gradientTo graph.Value) graph.Value {
	return apply(straightThrough{}, value, gradientTo)
}

type straightThrough struct{ pointwise }

func (straightThrough) Name() string        { return "StraightThrough" }
func (straightThrough) Arguments() []string { return []string{"value", "gradient to"} }

// Forwards tells compilers that the result is input 0.
func (straightThrough) Forwards() int { return 0 }

func (straightThrough) VJP(_ *graph.Node, dOut []graph.Value) []graph.Value {
	return []graph.Value{{}, dOut[0]}
}

func (straightThrough) Eval(out, in []graph.Tensor) { copy(out[0].Data, in[0].Data) }

func (straightThrough) Examples() []graph.Example { return chosen(points(straightThrough{}, 2, -2, 2)) }
