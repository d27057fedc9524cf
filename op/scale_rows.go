package op

import "aetrain/graph"

// ScaleRows multiplies row i of x, its first axis, by element i of the vector scale.
func ScaleRows(x, scale graph.Value) graph.Value {
	dims := make([]int, max(1, x.Rank()))
	for i := range dims {
		dims[i] = 1
	}
	dims[0] = scale.Dim(0)
	return Mul(x, Reshape(scale, dims...))
}
