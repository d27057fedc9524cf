package data

import (
	"math"

	"aetrain/graph"
	"aetrain/op"
)

func init() { transforms.Add("log1p", func() Transform { return &Log1p{} }) }

// Log1p takes the logarithm of 1 + x, and of 1 - x with its sign turned below 0: amounts and counts whose large values are rare.
type Log1p struct {
	OnColumns
}

// Bind implements Transform.
func (t *Log1p) Bind(in graph.Spec) (Step, error) { return log1p{sameShape{in}}, nil }

func (t *Log1p) bindColumns(in []Column) (Step, []Column, error) {
	return t.bindNumbers(in, t.Bind)
}

type log1p struct{ sameShape }

func (log1p) Apply(dst, src []float32, _ Draw) {
	for i, v := range src {
		dst[i] = float32(math.Copysign(math.Log1p(math.Abs(float64(v))), float64(v)))
	}
}

func (log1p) Inverts(graph.Spec) bool { return true }

func (s log1p) Invert(dst, src []float32) {
	for i, v := range src {
		dst[i] = s.invertAt(i, v)
	}
}

func (log1p) invertAt(_ int, v float32) float32 {
	return float32(math.Copysign(math.Expm1(math.Abs(float64(v))), float64(v)))
}

// Ops puts the sign back.
func (log1p) Ops(x graph.Value, _ OpDraw) (graph.Value, error) {
	return op.Mul(op.Sign(x), op.Log1p(op.Abs(x))), nil
}
