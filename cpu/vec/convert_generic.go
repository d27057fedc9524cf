package vec

import "math"

// Conversions and transposition.

func uint8ToFloat32Go(dst []float32, src []uint8, s float32) {
	n := min(len(dst), len(src))
	dst = dst[:n]
	for i, v := range src[:n] {
		dst[i] = float32(v) * s
	}
}

func int32ToFloat32Go(dst []float32, src []int32) {
	n := min(len(dst), len(src))
	dst = dst[:n]
	for i, v := range src[:n] {
		dst[i] = float32(v)
	}
}

// float32ToInt32Go decides what does not fit itself: Go leaves it to the processor.
func float32ToInt32Go(dst []int32, src []float32) {
	n := min(len(dst), len(src))
	dst = dst[:n]
	for i, v := range src[:n] {
		d := int32(math.MinInt32)
		if v >= -0x1p31 && v < 0x1p31 {
			d = int32(v)
		}
		dst[i] = d
	}
}

// transpose2DGo goes by squares of 16, so that both sides stay in the first-level cache.
func transpose2DGo(dst, src []float32, rows, cols, ldd, lds int) {
	const b = 16
	for r0 := 0; r0 < rows; r0 += b {
		r1 := min(r0+b, rows)
		for c0 := 0; c0 < cols; c0 += b {
			for c := c0; c < min(c0+b, cols); c++ {
				d := dst[c*ldd+r0 : c*ldd+r1]
				for i := range d {
					d[i] = src[(r0+i)*lds+c]
				}
			}
		}
	}
}
