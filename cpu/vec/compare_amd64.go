//go:build amd64 && !noasm

package vec

// Comparisons. compare_generic.go is the reference.

//go:noescape
func greaterAVX2(dst, a, b []float32)

//go:noescape
func greaterEqualAVX2(dst, a, b []float32)

//go:noescape
func lessAVX2(dst, a, b []float32)

//go:noescape
func lessEqualAVX2(dst, a, b []float32)

//go:noescape
func equalAVX2(dst, a, b []float32)

//go:noescape
func notEqualAVX2(dst, a, b []float32)

//go:noescape
func greaterSAVX2(dst, x []float32, s float32)

//go:noescape
func greaterEqualSAVX2(dst, x []float32, s float32)

//go:noescape
func lessSAVX2(dst, x []float32, s float32)

//go:noescape
func lessEqualSAVX2(dst, x []float32, s float32)

//go:noescape
func equalSAVX2(dst, x []float32, s float32)

//go:noescape
func notEqualSAVX2(dst, x []float32, s float32)

//go:noescape
func greaterAVX512(dst, a, b []float32)

//go:noescape
func greaterEqualAVX512(dst, a, b []float32)

//go:noescape
func lessAVX512(dst, a, b []float32)

//go:noescape
func lessEqualAVX512(dst, a, b []float32)

//go:noescape
func equalAVX512(dst, a, b []float32)

//go:noescape
func notEqualAVX512(dst, a, b []float32)

//go:noescape
func greaterSAVX512(dst, x []float32, s float32)

//go:noescape
func greaterEqualSAVX512(dst, x []float32, s float32)

//go:noescape
func lessSAVX512(dst, x []float32, s float32)

//go:noescape
func lessEqualSAVX512(dst, x []float32, s float32)

//go:noescape
func equalSAVX512(dst, x []float32, s float32)

//go:noescape
func notEqualSAVX512(dst, x []float32, s float32)

func compareKernelsAVX2(k *Kernels) {
	k.Greater = greaterAVX2
	k.GreaterEqual = greaterEqualAVX2
	k.Less = lessAVX2
	k.LessEqual = lessEqualAVX2
	k.Equal = equalAVX2
	k.NotEqual = notEqualAVX2
	k.GreaterS = greaterSAVX2
	k.GreaterEqualS = greaterEqualSAVX2
	k.LessS = lessSAVX2
	k.LessEqualS = lessEqualSAVX2
	k.EqualS = equalSAVX2
	k.NotEqualS = notEqualSAVX2
}

func compareKernelsAVX512(k *Kernels) {
	k.Greater = greaterAVX512
	k.GreaterEqual = greaterEqualAVX512
	k.Less = lessAVX512
	k.LessEqual = lessEqualAVX512
	k.Equal = equalAVX512
	k.NotEqual = notEqualAVX512
	k.GreaterS = greaterSAVX512
	k.GreaterEqualS = greaterEqualSAVX512
	k.LessS = lessSAVX512
	k.LessEqualS = lessEqualSAVX512
	k.EqualS = equalSAVX512
	k.NotEqualS = notEqualSAVX512
}
