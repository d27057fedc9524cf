//go:build amd64 && !noasm

package vec

// Unary operations. unary_generic.go is the reference.

//go:noescape
func negAVX2(dst, x []float32)

//go:noescape
func absAVX2(dst, x []float32)

//go:noescape
func squareAVX2(dst, x []float32)

//go:noescape
func sqrtAVX2(dst, x []float32)

//go:noescape
func recipAVX2(dst, x []float32)

//go:noescape
func rsqrtAVX2(dst, x []float32)

//go:noescape
func signAVX2(dst, x []float32)

//go:noescape
func floorAVX2(dst, x []float32)

//go:noescape
func roundAVX2(dst, x []float32)

//go:noescape
func negAVX512(dst, x []float32)

//go:noescape
func absAVX512(dst, x []float32)

//go:noescape
func squareAVX512(dst, x []float32)

//go:noescape
func sqrtAVX512(dst, x []float32)

//go:noescape
func recipAVX512(dst, x []float32)

//go:noescape
func rsqrtAVX512(dst, x []float32)

//go:noescape
func signAVX512(dst, x []float32)

//go:noescape
func floorAVX512(dst, x []float32)

//go:noescape
func roundAVX512(dst, x []float32)

func unaryKernelsAVX2(k *Kernels) {
	k.Neg = negAVX2
	k.Abs = absAVX2
	k.Square = squareAVX2
	k.Sqrt = sqrtAVX2
	k.Recip = recipAVX2
	k.Rsqrt = rsqrtAVX2
	k.Sign = signAVX2
	k.Floor = floorAVX2
	k.Round = roundAVX2
}

func unaryKernelsAVX512(k *Kernels) {
	k.Neg = negAVX512
	k.Abs = absAVX512
	k.Square = squareAVX512
	k.Sqrt = sqrtAVX512
	k.Recip = recipAVX512
	k.Rsqrt = rsqrtAVX512
	k.Sign = signAVX512
	k.Floor = floorAVX512
	k.Round = roundAVX512
}
