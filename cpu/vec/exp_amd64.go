//go:build amd64 && !noasm

package vec

// Transcendental functions. exp_generic.go is the reference.

//go:noescape
func expAVX2(dst, x []float32)

//go:noescape
func expm1AVX2(dst, x []float32)

//go:noescape
func logAVX2(dst, x []float32)

//go:noescape
func tanhAVX2(dst, x []float32)

//go:noescape
func sigmoidAVX2(dst, x []float32)

//go:noescape
func softplusAVX2(dst, x []float32)

//go:noescape
func erfAVX2(dst, x []float32)

//go:noescape
func expAVX512(dst, x []float32)

//go:noescape
func expm1AVX512(dst, x []float32)

//go:noescape
func logAVX512(dst, x []float32)

//go:noescape
func tanhAVX512(dst, x []float32)

//go:noescape
func sigmoidAVX512(dst, x []float32)

//go:noescape
func softplusAVX512(dst, x []float32)

//go:noescape
func erfAVX512(dst, x []float32)

func expKernelsAVX2(k *Kernels) {
	k.Exp = expAVX2
	k.Expm1 = expm1AVX2
	k.Log = logAVX2
	k.Tanh = tanhAVX2
	k.Sigmoid = sigmoidAVX2
	k.Softplus = softplusAVX2
	k.Erf = erfAVX2
}

func expKernelsAVX512(k *Kernels) {
	k.Exp = expAVX512
	k.Expm1 = expm1AVX512
	k.Log = logAVX512
	k.Tanh = tanhAVX512
	k.Sigmoid = sigmoidAVX512
	k.Softplus = softplusAVX512
	k.Erf = erfAVX512
}
