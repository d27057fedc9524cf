package vec

import "math"

// Transcendental functions by float64 math, rounded once more at the end: below 1 ulp.

func expGo(dst, x []float32) { each(dst, x, math.Exp) }

func expm1Go(dst, x []float32) { each(dst, x, math.Expm1) }

func logGo(dst, x []float32) { each(dst, x, math.Log) }

func log1pGo(dst, x []float32) { each(dst, x, math.Log1p) }

func tanhGo(dst, x []float32) { each(dst, x, math.Tanh) }

func erfGo(dst, x []float32) { each(dst, x, math.Erf) }

func sigmoidGo(dst, x []float32) { each(dst, x, sigmoid) }

func softplusGo(dst, x []float32) { each(dst, x, softplus) }

// sigmoid is 1/(1+exp(-x)); exp(-x) overflows float64 only where the result is 0 in float32.
func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// softplus is log(1+exp(x)) without overflow. The comparison keeps a NaN.
func softplus(x float64) float64 {
	if x > 0 {
		return x + math.Log1p(math.Exp(-x))
	}
	return math.Log1p(math.Exp(x))
}
