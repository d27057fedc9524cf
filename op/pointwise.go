package op

import (
	"math"

	"aetrain/graph"
)

// filled is a constant of x's shape and type whose elements are all c.
func filled(x graph.Value, c float64) graph.Value { return x.Graph().Constant(x.Spec(), c) }

// none is the gradient of an op that passes none to its inputs.
func none(inputs int) []graph.Value { return make([]graph.Value, inputs) }

// truth is 1 for true and 0 for false.
func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// logistic is 1 / (1 + e^-x); the exponential never overflows.
func logistic(x float64) float64 {
	if x < 0 {
		e := math.Exp(x)
		return e / (1 + e)
	}
	return 1 / (1 + math.Exp(-x))
}

// phiCDF is the distribution function of the normal distribution, exact in its lower tail too.
func phiCDF(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

// phiPDF is the density of the normal distribution.
func phiPDF(x float64) float64 { return math.Exp(-x*x/2) / math.Sqrt(2*math.Pi) }

// comparisons are the examples of a comparison: random numbers, and a few that are equal.
func comparisons(o graph.Op) []graph.Example {
	special := graph.Example{Op: o, Args: []graph.Arg{
		{Spec: graph.F32(6), Values: []float64{-1, -1, 0, 2, 2, 3}},
		{Spec: graph.F32(6), Values: []float64{-1, 1, 0, 1, 2, 3.5}},
	}, Kinked: true, Chosen: true} // differences across a tie would see the jump
	return append(kinked(points(o, 2, -2, 2)), special)
}

// chosen marks examples of ops whose gradient is a choice.
func chosen(es []graph.Example) []graph.Example {
	for i := range es {
		es[i].Chosen = true
	}
	return es
}
