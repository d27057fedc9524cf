package vec

import "math"

// Unary operations with exact or correctly rounded results.

func negGo(dst, x []float32) {
	dst, x = cut2(dst, x)
	for i, v := range x {
		dst[i] = -v
	}
}

func absGo(dst, x []float32) {
	dst, x = cut2(dst, x)
	for i, v := range x {
		dst[i] = math.Float32frombits(math.Float32bits(v) &^ (1 << 31))
	}
}

func squareGo(dst, x []float32) {
	dst, x = cut2(dst, x)
	for i, v := range x {
		dst[i] = v * v
	}
}

func sqrtGo(dst, x []float32) {
	dst, x = cut2(dst, x)
	for i, v := range x {
		dst[i] = float32(math.Sqrt(float64(v)))
	}
}

func recipGo(dst, x []float32) {
	dst, x = cut2(dst, x)
	for i, v := range x {
		dst[i] = 1 / v
	}
}

func rsqrtGo(dst, x []float32) {
	dst, x = cut2(dst, x)
	for i, v := range x {
		dst[i] = float32(1 / math.Sqrt(float64(v)))
	}
}

func floorGo(dst, x []float32) {
	dst, x = cut2(dst, x)
	for i, v := range x {
		dst[i] = float32(math.Floor(float64(v)))
	}
}

func roundGo(dst, x []float32) {
	dst, x = cut2(dst, x)
	for i, v := range x {
		dst[i] = float32(math.RoundToEven(float64(v)))
	}
}

func signGo(dst, x []float32) {
	dst, x = cut2(dst, x)
	for i, v := range x {
		switch {
		case v > 0:
			v = 1
		case v < 0:
			v = -1
		}
		dst[i] = v
	}
}

func sinGo(dst, x []float32) { each(dst, x, math.Sin) }

func cosGo(dst, x []float32) { each(dst, x, math.Cos) }
