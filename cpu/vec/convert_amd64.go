//go:build amd64 && !noasm

package vec

// Conversions and transposition; convert_generic.go is the reference.

//go:noescape
func int32ToFloat32AVX2(dst []float32, src []int32)

//go:noescape
func float32ToInt32AVX2(dst []int32, src []float32)

// uint8ToFloat32AVX2 converts whole vectors.
//
//go:noescape
func uint8ToFloat32AVX2(dst []float32, src *uint8, s float32)

//go:noescape
func int32ToFloat32AVX512(dst []float32, src []int32)

//go:noescape
func float32ToInt32AVX512(dst []int32, src []float32)

// uint8ToFloat32AVX512 converts whole vectors.
//
//go:noescape
func uint8ToFloat32AVX512(dst []float32, src *uint8, s float32)

// transpose8 transposes n squares of 8x8, from one of them to the next dstep and sstep elements.
//
//go:noescape
func transpose8(dst, src *float32, ldd, lds, n, dstep, sstep int)

func convertKernelsAVX2(k *Kernels) {
	k.Int32ToFloat32 = int32ToFloat32AVX2
	k.Float32ToInt32 = float32ToInt32AVX2
	k.Uint8ToFloat32 = func(dst []float32, src []uint8, s float32) {
		n := min(len(dst), len(src))
		whole := n &^ 7
		if whole > 0 {
			uint8ToFloat32AVX2(dst[:whole], &src[0], s)
		}
		uint8ToFloat32Go(dst[whole:n], src[whole:n], s)
	}
	k.Transpose2D = transpose2D
}

func convertKernelsAVX512(k *Kernels) {
	k.Int32ToFloat32 = int32ToFloat32AVX512
	k.Float32ToInt32 = float32ToInt32AVX512
	k.Uint8ToFloat32 = func(dst []float32, src []uint8, s float32) {
		n := min(len(dst), len(src))
		whole := n &^ 15
		if whole > 0 {
			uint8ToFloat32AVX512(dst[:whole], &src[0], s)
		}
		uint8ToFloat32Go(dst[whole:n], src[whole:n], s)
	}
	k.Transpose2D = transpose2D
}

// transpose2D moves squares of 8. The last square of a line goes back as far as it has to, and moves some elements again; only
// what is narrower than a square is left to plain Go.
func transpose2D(dst, src []float32, rows, cols, ldd, lds int) {
	if rows <= 0 || cols <= 0 {
		return
	}
	if rows < 8 || cols < 8 {
		transpose2DGo(dst, src, rows, cols, ldd, lds)
		return
	}
	// transpose8 does not check.
	_, _ = src[(rows-1)*lds+cols-1], dst[(cols-1)*ldd+rows-1]
	if rows > cols { // along dst's rows, whose cache lines are then written at once
		for c := 0; c < cols; c += 8 {
			c := min(c, cols-8)
			transpose8(&dst[c*ldd], &src[c], ldd, lds, rows/8, 8, 8*lds)
			if rows%8 > 0 {
				transpose8(&dst[c*ldd+rows-8], &src[(rows-8)*lds+c], ldd, lds, 1, 0, 0)
			}
		}
		return
	}
	for r := 0; r < rows; r += 8 {
		r := min(r, rows-8)
		transpose8(&dst[r], &src[r*lds], ldd, lds, cols/8, 8*ldd, 8)
		if cols%8 > 0 {
			transpose8(&dst[(cols-8)*ldd+r], &src[r*lds+cols-8], ldd, lds, 1, 0, 0)
		}
	}
}
