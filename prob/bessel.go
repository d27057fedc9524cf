package prob

import (
	"math"

	"aetrain/graph"
	"aetrain/op"
)

// bessel is the modified Bessel function of the first kind I_v(x) of x > 0 and order v ≥ 0, elementwise: logScaled is
// log(I_v(x)·exp(-x)), ratio is I_{v+1}(x) / I_v(x).
//
// Debye's expansion for large orders gives both at an order n ≥ 16 (n-v whole), where four of its terms leave an error below 1e-8,
// whatever x. From there the ratios go down by I_{k+1}/I_k = x / (2(k+1) + x·I_{k+2}/I_{k+1}), which shrinks errors, and
// log I_v = log I_n - Σ log I_{k+1}/I_k. All of it is smooth and made of ops, so that gradients follow by themselves.
// Source: Abramowitz & Stegun 1964, "Handbook of Mathematical Functions", 9.3.9, 9.7.7 and 9.6.26.
func bessel(v float64, x graph.Value) (logScaled, ratio graph.Value) {
	const enough = 16
	n := v
	for n < enough {
		n++
	}
	logScaled, ratio = debye(n, x)
	var logs []graph.Value
	for k := n - 1; k >= v; k-- {
		ratio = op.Div(x, op.AddConst(op.Mul(x, ratio), 2*(k+1)))
		logs = append(logs, op.Log(ratio))
	}
	if len(logs) > 0 {
		logScaled = op.Sub(logScaled, graph.SumOf(logs...))
	}
	return logScaled, ratio
}

// debyeTerms are the coefficients of u_k(t), of t^k, t^(k+2), ..., t^(3k).
var debyeTerms = [][]float64{
	{3. / 24, -5. / 24},
	{81. / 1152, -462. / 1152, 385. / 1152},
	{30375. / 414720, -369603. / 414720, 765765. / 414720, -425425. / 414720},
	{4465125. / 39813120, -94121676. / 39813120, 349922430. / 39813120, -446185740. / 39813120, 185910725. / 39813120},
}

// debye is the expansion at a large order: with r = √(n² + x²), t = n/r and S = Σ u_k(t)/n^k
//
//	log I_n = r + n·log(x/(n+r)) - log(2πr)/2 + log(1+S)
//	I_{n+1}/I_n = d log I_n/dx - n/x = x/(n+r) - x/(2r²) - (n·x/r³)·S'(t)/(1+S)
func debye(n float64, x graph.Value) (logScaled, ratio graph.Value) {
	r := op.Sqrt(op.AddConst(op.Square(x), n*n))
	t := op.Scale(op.Reciprocal(r), n)
	sum, slope := debyeSum(n, t)
	over := op.AddConst(r, n)                              // n + r
	logScaled = op.Scale(op.Reciprocal(op.Add(r, x)), n*n) // r - x
	logScaled = op.Add(logScaled, op.Scale(op.Log(op.Div(x, over)), n))
	logScaled = op.Sub(logScaled, op.Scale(op.AddConst(op.Log(r), math.Log(2*math.Pi)), 0.5))
	logScaled = op.Add(logScaled, op.Log1p(sum))
	ratio = op.Sub(op.Div(x, over), op.Div(x, op.Scale(op.Square(r), 2)))
	bend := op.Scale(op.Div(op.Mul(x, op.Div(slope, op.Square(r))), r), n)
	return logScaled, op.Sub(ratio, op.Div(bend, op.AddConst(sum, 1)))
}

// debyeSum is Σ u_k(t)/n^k and its derivative by t.
func debyeSum(n float64, t graph.Value) (sum, slope graph.Value) {
	powers := make([]float64, 3*len(debyeTerms)+1)
	for k, terms := range debyeTerms {
		for i, c := range terms {
			powers[k+1+2*i] += c / math.Pow(n, float64(k+1))
		}
	}
	derived := make([]float64, len(powers)-1)
	for i := range derived {
		derived[i] = float64(i+1) * powers[i+1]
	}
	return polynomial(powers, t), polynomial(derived, t)
}

// polynomial is Σ c_i·t^i, by Horner's rule.
func polynomial(c []float64, t graph.Value) graph.Value {
	y := op.Scale(t, c[len(c)-1])
	for i := len(c) - 2; i > 0; i-- {
		y = op.Mul(op.AddConst(y, c[i]), t)
	}
	return op.AddConst(y, c[0])
}
