package vec

// Comparisons, 1 for true and 0 for false, and the choice by them.

func greaterGo(dst, a, b []float32) {
	dst, a, b = cut3(dst, a, b)
	for i, v := range a {
		dst[i] = one(v > b[i])
	}
}

func greaterEqualGo(dst, a, b []float32) {
	dst, a, b = cut3(dst, a, b)
	for i, v := range a {
		dst[i] = one(v >= b[i])
	}
}

func lessGo(dst, a, b []float32) {
	dst, a, b = cut3(dst, a, b)
	for i, v := range a {
		dst[i] = one(v < b[i])
	}
}

func lessEqualGo(dst, a, b []float32) {
	dst, a, b = cut3(dst, a, b)
	for i, v := range a {
		dst[i] = one(v <= b[i])
	}
}

func equalGo(dst, a, b []float32) {
	dst, a, b = cut3(dst, a, b)
	for i, v := range a {
		dst[i] = one(v == b[i])
	}
}

func notEqualGo(dst, a, b []float32) {
	dst, a, b = cut3(dst, a, b)
	for i, v := range a {
		dst[i] = one(v != b[i])
	}
}

func greaterSGo(dst, x []float32, s float32) {
	dst, x = cut2(dst, x)
	for i, v := range x {
		dst[i] = one(v > s)
	}
}

func greaterEqualSGo(dst, x []float32, s float32) {
	dst, x = cut2(dst, x)
	for i, v := range x {
		dst[i] = one(v >= s)
	}
}

func lessSGo(dst, x []float32, s float32) {
	dst, x = cut2(dst, x)
	for i, v := range x {
		dst[i] = one(v < s)
	}
}

func lessEqualSGo(dst, x []float32, s float32) {
	dst, x = cut2(dst, x)
	for i, v := range x {
		dst[i] = one(v <= s)
	}
}

func equalSGo(dst, x []float32, s float32) {
	dst, x = cut2(dst, x)
	for i, v := range x {
		dst[i] = one(v == s)
	}
}

func notEqualSGo(dst, x []float32, s float32) {
	dst, x = cut2(dst, x)
	for i, v := range x {
		dst[i] = one(v != s)
	}
}

func selectGo(dst, cond, a, b []float32) {
	dst, cond, a, b = cut4(dst, cond, a, b)
	for i, c := range cond {
		if c != 0 {
			dst[i] = a[i]
		} else {
			dst[i] = b[i]
		}
	}
}
