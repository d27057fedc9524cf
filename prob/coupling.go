package prob

import (
	"math"

	"aetrain/graph"
	"aetrain/op"
)

// Coupling is an invertible map of vectors that leaves some of their numbers as they are and scales and shifts the others by what a
// network with one hidden layer makes of those: y = x·exp(s) + t. Mask is 1 for the numbers that stay. In is H×D, Bias H, ScaleOut and
// ShiftOut D×H, their biases D. The logarithm of a scale stays within ±Limit.
// Source: Dinh, Sohl-Dickstein & Bengio 2017, "Density estimation using Real NVP", eq. 4-9.
type Coupling struct {
	Mask                                     []float64
	In, Bias                                 graph.Value
	ScaleOut, ScaleBias, ShiftOut, ShiftBias graph.Value
	Limit                                    float64
}

// parameters are log-scale and shift for rows M×D, 0 where numbers stay.
func (c Coupling) parameters(x graph.Value) (logScale, shift graph.Value) {
	g, size := x.Graph(), len(c.Mask)
	stay := g.Constant(graph.F32(1, size), c.Mask...)
	move := op.AddConst(op.Neg(stay), 1)
	h := op.Tanh(op.AddBias(op.MatMul(op.Mul(x, stay), c.In, false, true), c.Bias))
	logScale = op.Scale(op.Tanh(op.AddBias(op.MatMul(h, c.ScaleOut, false, true), c.ScaleBias)), c.Limit)
	shift = op.AddBias(op.MatMul(h, c.ShiftOut, false, true), c.ShiftBias)
	return op.Mul(logScale, move), op.Mul(shift, move)
}

// Apply maps rows M×D and returns the log-determinants of each number, M×D.
func (c Coupling) Apply(x graph.Value) (y, logDet graph.Value) {
	s, t := c.parameters(x)
	return op.Add(op.Mul(x, op.Exp(s)), t), s
}

// Invert leads back.
func (c Coupling) Invert(y graph.Value) graph.Value {
	s, t := c.parameters(y) // those that stay are the same in x and y
	return op.Mul(op.Sub(y, t), op.Exp(op.Neg(s)))
}

// Transported is the distribution of vectors that Steps, one after the other, map to standard normal ones. Dims are the axes of its
// values, ...×D.
type Transported struct {
	Steps []Coupling
	Graph *graph.Graph
	Dims  graph.Shape
}

// rows makes M×D of values.
func (t Transported) rows(v graph.Value) graph.Value {
	size := t.Dims[len(t.Dims)-1]
	return op.Reshape(v, v.Shape().Size()/size, size)
}

// Mean is where 0, the most likely point before the maps, comes from; the expected value has no closed form.
func (t Transported) Mean() graph.Value { return t.back(t.Graph.Constant(graph.F32(t.Dims...), 0)) }

// Sample leads standard normal numbers back.
func (t Transported) Sample(r op.RNG, name string) graph.Value {
	return t.back(op.Normal(r, name, t.Dims...))
}

func (t Transported) back(u graph.Value) graph.Value {
	rows := t.rows(u)
	for i := len(t.Steps) - 1; i >= 0; i-- {
		rows = t.Steps[i].Invert(rows)
	}
	return op.Reshape(rows, t.Dims...)
}

// LogProb is log N(f(x); 0, 1) + log|det ∂f|, a share for each number.
func (t Transported) LogProb(x graph.Value) graph.Value {
	rows := t.rows(x)
	var logDets []graph.Value
	for _, s := range t.Steps {
		var d graph.Value
		rows, d = s.Apply(rows)
		logDets = append(logDets, d)
	}
	normal := op.Scale(op.AddConst(op.Square(rows), math.Log(2*math.Pi)), -0.5)
	return op.Reshape(graph.SumOf(append(logDets, normal)...), x.Shape()...)
}

// Repeat gives each example k copies.
func (t Transported) Repeat(k int) Distribution {
	t.Dims = append(graph.Shape{t.Dims[0], k}, t.Dims[1:]...)
	return t
}
