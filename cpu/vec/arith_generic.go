package vec

import "math"

// Arithmetic of two slices.

func addGo(dst, a, b []float32) {
	dst, a, b = cut3(dst, a, b)
	for i, v := range a {
		dst[i] = v + b[i]
	}
}

func subGo(dst, a, b []float32) {
	dst, a, b = cut3(dst, a, b)
	for i, v := range a {
		dst[i] = v - b[i]
	}
}

func mulGo(dst, a, b []float32) {
	dst, a, b = cut3(dst, a, b)
	for i, v := range a {
		dst[i] = v * b[i]
	}
}

func divGo(dst, a, b []float32) {
	dst, a, b = cut3(dst, a, b)
	for i, v := range a {
		dst[i] = v / b[i]
	}
}

// A NaN in a is kept by a != a; one in b, because no comparison with it holds.
func maxGo(dst, a, b []float32) {
	dst, a, b = cut3(dst, a, b)
	for i, v := range a {
		if w := b[i]; !(v > w || v != v) {
			v = w
		}
		dst[i] = v
	}
}

func minGo(dst, a, b []float32) {
	dst, a, b = cut3(dst, a, b)
	for i, v := range a {
		if w := b[i]; !(v < w || v != v) {
			v = w
		}
		dst[i] = v
	}
}

func powGo(dst, a, b []float32) { each2(dst, a, b, math.Pow) }

// mulAddGo rounds twice: there is no float32 fused multiply-add in Go.
func mulAddGo(dst, a, b, c []float32) {
	dst, a, b, c = cut4(dst, a, b, c)
	for i, v := range a {
		dst[i] = float32(v*b[i]) + c[i]
	}
}
