package prob

import (
	"math"

	"aetrain/graph"
	"aetrain/op"
)

// LogGamma is log Γ(x) for x > 0: Stirling's series at x + 7, taken back by the recurrence Γ(x+1) = x·Γ(x). Its relative error is
// below 1e-10 in float64, that of the arithmetic in float32.
// Source: Abramowitz & Stegun 1964, "Handbook of Mathematical Functions", 6.1.40 and 6.1.15.
func LogGamma(x graph.Value) graph.Value {
	const shift = 7
	z := op.AddConst(x, shift)
	r := op.Reciprocal(z)
	r2 := op.Square(r)
	// 1/12z - 1/360z³ + 1/1260z⁵ - 1/1680z⁷
	series := op.AddConst(op.Scale(r2, -1.0/1680), 1.0/1260)
	series = op.AddConst(op.Mul(series, r2), -1.0/360)
	series = op.Mul(op.AddConst(op.Mul(series, r2), 1.0/12), r)
	log := op.Add(op.Sub(op.Mul(op.AddConst(z, -0.5), op.Log(z)), z), op.AddConst(series, math.Log(2*math.Pi)/2))
	for _, factors := range [][]float64{{0, 1, 2}, {3, 4}, {5, 6}} { // in groups, which no float32 overflows for x < 1e12
		product := op.AddConst(x, factors[0])
		for _, f := range factors[1:] {
			product = op.Mul(product, op.AddConst(x, f))
		}
		log = op.Sub(log, op.Log(product))
	}
	return log
}
