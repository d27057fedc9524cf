package op

import "aetrain/graph"

func init() { add(squaredError{}) }

// SquaredError returns (a - b)², elementwise, with broadcasting.
func SquaredError(a, b graph.Value) graph.Value { return apply(squaredError{}, broadcast(a, b)...) }

// MSE returns the mean of (a - b)² over all elements, a scalar.
func MSE(a, b graph.Value) graph.Value { return MeanAll(SquaredError(a, b)) }

type squaredError struct{ pointwise }

func (squaredError) Name() string { return "SquaredError" }

func (squaredError) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	d := Mul(dOut[0], Scale(Sub(n.In[0], n.In[1]), 2))
	return []graph.Value{d, Neg(d)}
}

func (squaredError) Eval(out, in []graph.Tensor) {
	map2(out, in, func(a, b float64) float64 { return (a - b) * (a - b) })
}

func (squaredError) Examples() []graph.Example { return points(squaredError{}, 2, -2, 2) }
