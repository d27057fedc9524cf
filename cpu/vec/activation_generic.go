package vec

import "math"

// Activations and their gradients.

func reluGo(dst, x []float32) { maxSGo(dst, x, 0) }

func leakyReLUGo(dst, x []float32, s float32) {
	dst, x = cut2(dst, x)
	for i, v := range x {
		if !(v > 0) {
			v *= s
		}
		dst[i] = v
	}
}

func eluGo(dst, x []float32, s float32) {
	dst, x = cut2(dst, x)
	for i, v := range x {
		if !(v > 0) {
			v = s * float32(math.Expm1(float64(v)))
		}
		dst[i] = v
	}
}

func geluGo(dst, x []float32) {
	each(dst, x, func(v float64) float64 { return v * normalCDF(v) })
}

func siluGo(dst, x []float32) {
	each(dst, x, func(v float64) float64 {
		if v < -200 { // exp(-v) may be infinite where v is: the limit is -0
			return math.Copysign(0, v)
		}
		return v * sigmoid(v)
	})
}

// normalCDF is Φ(x), the probability of a standard normal number below x.
func normalCDF(x float64) float64 {
	return math.Erfc(-x/math.Sqrt2) / 2
}

func reluGradGo(dst, y, dy []float32) {
	dst, y, dy = cut3(dst, y, dy)
	for i, v := range y {
		var d float32
		if v > 0 {
			d = dy[i]
		}
		dst[i] = d
	}
}

func sigmoidGradGo(dst, y, dy []float32) {
	dst, y, dy = cut3(dst, y, dy)
	for i, v := range y {
		dst[i] = throughSigmoid(v, dy[i])
	}
}

func tanhGradGo(dst, y, dy []float32) {
	dst, y, dy = cut3(dst, y, dy)
	for i, v := range y {
		dst[i] = throughTanh(v, dy[i])
	}
}

func leakyReLUGradGo(dst, y, dy []float32, s float32) {
	dst, y, dy = cut3(dst, y, dy)
	for i, v := range y {
		d := dy[i]
		if !(v > 0) {
			d *= s
		}
		dst[i] = d
	}
}

func eluGradGo(dst, y, dy []float32, s float32) {
	dst, y, dy = cut3(dst, y, dy)
	for i, v := range y {
		d := dy[i]
		if !(v > 0) {
			d *= v + s
		}
		dst[i] = d
	}
}

func geluGradGo(dst, x, dy []float32) {
	each2(dst, x, dy, func(v, d float64) float64 {
		density := math.Exp(-v*v/2) / math.Sqrt(2*math.Pi)
		return d * (normalCDF(v) + limit0(v, density))
	})
}

func siluGradGo(dst, x, dy []float32) {
	each2(dst, x, dy, func(v, d float64) float64 {
		s := sigmoid(v)
		return d * (s + limit0(v, s*sigmoid(-v)))
	})
}

// limit0 is x*f for an f that vanishes at infinity faster than x grows.
func limit0(x, f float64) float64 {
	if f == 0 {
		return 0
	}
	return x * f
}

func bceWithLogitsGo(dst, l, t []float32) { each2(dst, l, t, bce) }

func bce(l, t float64) float64 { return max(l, 0) - l*t + math.Log1p(math.Exp(-math.Abs(l))) }

func bceAndSigmoidGo(loss, sig, l, t []float32) {
	l, t = cut2(l, t)
	for i, x := range l {
		b, y := bce(float64(x), float64(t[i])), sigmoid(float64(x))
		loss[i], sig[i] = float32(b), float32(y)
	}
}
