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

// transpose8 transposes n squares of 8x8 that lie side by side in src, one above the other in dst.
//
//go:noescape
func transpose8(dst, src *float32, ldd, lds, n int)

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

// transpose2D leaves the rows and columns beyond squares of 8 to plain Go.
func transpose2D(dst, src []float32, rows, cols, ldd, lds int) {
	if rows <= 0 || cols <= 0 {
		return
	}
	_, _ = src[(rows-1)*lds+cols-1], dst[(cols-1)*ldd+rows-1] // transpose8 does not check
	r8, c8 := rows&^7, cols&^7
	if c8 > 0 {
		for r := 0; r < r8; r += 8 {
			transpose8(&dst[r], &src[r*lds], ldd, lds, c8/8)
		}
	}
	if c8 < cols && r8 > 0 {
		transpose2DGo(dst[c8*ldd:], src[c8:], r8, cols-c8, ldd, lds)
	}
	if r8 < rows {
		transpose2DGo(dst[r8:], src[r8*lds:], rows-r8, cols, ldd, lds)
	}
}
