package prob

import (
	"math"

	"aetrain/graph"
	"aetrain/op"
)

// Mixture is a mixture of K normal distributions of vectors, K×D each, with equal shares: 1/K Σ N(Mu_k, exp(LogVar_k)).
// Dims are the axes of its values, ...×D. Log-densities of a vector are spread evenly over its numbers.
type Mixture struct {
	Mu, LogVar graph.Value
	Dims       graph.Shape
}

// Mean is the mean of the components' means.
func (m Mixture) Mean() graph.Value { return op.BroadcastTo(op.ReduceMean(m.Mu, 0), m.Dims...) }

// Sample draws a component, then a vector.
func (m Mixture) Sample(r op.RNG, name string) graph.Value {
	dims := m.Dims[:len(m.Dims)-1]
	at := op.Scale(op.Uniform(r, name+".component", dims...), float64(m.Mu.Dim(0)))
	k := op.Cast(op.Floor(at), graph.Int32)
	return Normal{Mu: op.Gather(m.Mu, k), LogVar: op.Gather(m.LogVar, k)}.Sample(r, name)
}

// LogProb is log 1/K Σ exp(log N_k(x)) / D.
func (m Mixture) LogProb(x graph.Value) graph.Value {
	size, count := m.Mu.Dim(1), m.Mu.Dim(0)
	rows := x.Shape().Size() / size
	each := Normal{Mu: op.Reshape(m.Mu, 1, count, size), LogVar: op.Reshape(m.LogVar, 1, count, size)}.LogProb(op.Reshape(x, rows, 1, size))
	log := op.AddConst(op.LogSumExp(op.ReduceSum(each, 2), 1), -math.Log(float64(count)))
	spread := op.BroadcastTo(op.Reshape(op.Scale(log, 1/float64(size)), rows, 1), rows, size)
	return op.Reshape(spread, x.Shape()...)
}

// Repeat gives each example k copies.
func (m Mixture) Repeat(k int) Distribution {
	m.Dims = append(graph.Shape{m.Dims[0], k}, m.Dims[1:]...)
	return m
}
