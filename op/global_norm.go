package op

import "aetrain/graph"

// GlobalNorm returns the Euclidean norm of all elements of all gs together, a scalar: what clipping compares with its limit.
// Zero Values are left out; of none at all it is the zero Value. It is infinite or NaN where an element is,
// and its own gradient is NaN where the norm is 0.
func GlobalNorm(gs ...graph.Value) graph.Value {
	var squares []graph.Value
	for _, g := range gs {
		if g.Valid() {
			squares = append(squares, SumAll(Square(g)))
		}
	}
	if len(squares) == 0 {
		return graph.Value{}
	}
	return Sqrt(graph.SumOf(squares...))
}
