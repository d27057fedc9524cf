package prob

import (
	"aetrain/graph"
	"aetrain/op"
)

// Standard is N(0, 1) of each element of a value with these axes: the usual prior.
type Standard struct {
	Graph *graph.Graph
	Dims  graph.Shape
}

// Mean is 0.
func (n Standard) Mean() graph.Value { return n.Graph.Constant(graph.F32(n.Dims...), 0) }

// Sample draws standard normal numbers.
func (n Standard) Sample(r op.RNG, name string) graph.Value { return op.Normal(r, name, n.Dims...) }

// LogProb is -(log 2π + x²) / 2.
func (n Standard) LogProb(x graph.Value) graph.Value {
	return op.Scale(op.AddConst(op.Square(x), log2Pi), -0.5)
}

// Repeat gives each example k copies.
func (n Standard) Repeat(k int) Distribution {
	return Standard{Graph: n.Graph, Dims: append(graph.Shape{n.Dims[0], k}, n.Dims[1:]...)}
}
