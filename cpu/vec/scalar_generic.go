package vec

import "math"

// Arithmetic with a scalar.

func addSGo(dst, x []float32, s float32) {
	dst, x = cut2(dst, x)
	for i, v := range x {
		dst[i] = v + s
	}
}

func mulSGo(dst, x []float32, s float32) {
	dst, x = cut2(dst, x)
	for i, v := range x {
		dst[i] = v * s
	}
}

func subRSGo(dst, x []float32, s float32) {
	dst, x = cut2(dst, x)
	for i, v := range x {
		dst[i] = s - v
	}
}

func divRSGo(dst, x []float32, s float32) {
	dst, x = cut2(dst, x)
	for i, v := range x {
		dst[i] = s / v
	}
}

func maxSGo(dst, x []float32, s float32) {
	dst, x = cut2(dst, x)
	for i, v := range x {
		if s > v {
			v = s
		}
		dst[i] = v
	}
}

func minSGo(dst, x []float32, s float32) {
	dst, x = cut2(dst, x)
	for i, v := range x {
		if s < v {
			v = s
		}
		dst[i] = v
	}
}

func powSGo(dst, x []float32, s float32) {
	each(dst, x, func(v float64) float64 { return math.Pow(v, float64(s)) })
}

func centredGo(dst, x []float32, mean, s, c float32) {
	dst, x = cut2(dst, x)
	for i, v := range x {
		dst[i] = s*(v-mean) + c
	}
}

func centredPlusGo(dst, x, y []float32, mean, s, c, a float32) {
	dst, x = cut2(dst, x)
	x, y = cut2(x, y)
	for i, v := range x {
		dst[i] = s*(v-mean) + c + a*y[i]
	}
}

func fillGo(dst []float32, s float32) {
	for i := range dst {
		dst[i] = s
	}
}

func copyGo(dst, x []float32) { copy(dst, x) }

func axpyGo(dst, x []float32, s float32) {
	dst, x = cut2(dst, x)
	for i, v := range x {
		dst[i] += float32(s * v)
	}
}

func affineGo(dst, x []float32, s, c float32) {
	dst, x = cut2(dst, x)
	for i, v := range x {
		dst[i] = float32(s*v) + c
	}
}
