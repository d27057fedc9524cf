//go:build amd64 && !noasm

package vec

// Arithmetic of two or three slices. arith_generic.go is the reference.

//go:noescape
func addAVX2(dst, a, b []float32)

//go:noescape
func subAVX2(dst, a, b []float32)

//go:noescape
func mulAVX2(dst, a, b []float32)

//go:noescape
func divAVX2(dst, a, b []float32)

//go:noescape
func maxAVX2(dst, a, b []float32)

//go:noescape
func minAVX2(dst, a, b []float32)

//go:noescape
func mulAddAVX2(dst, a, b, c []float32)

//go:noescape
func selectByAVX2(dst, cond, a, b []float32)

//go:noescape
func addAVX512(dst, a, b []float32)

//go:noescape
func subAVX512(dst, a, b []float32)

//go:noescape
func mulAVX512(dst, a, b []float32)

//go:noescape
func divAVX512(dst, a, b []float32)

//go:noescape
func maxAVX512(dst, a, b []float32)

//go:noescape
func minAVX512(dst, a, b []float32)

//go:noescape
func mulAddAVX512(dst, a, b, c []float32)

//go:noescape
func selectByAVX512(dst, cond, a, b []float32)

func arithKernelsAVX2(k *Kernels) {
	k.Add = addAVX2
	k.Sub = subAVX2
	k.Mul = mulAVX2
	k.Div = divAVX2
	k.Max = maxAVX2
	k.Min = minAVX2
	k.MulAdd = mulAddAVX2
	k.Select = selectByAVX2
}

func arithKernelsAVX512(k *Kernels) {
	k.Add = addAVX512
	k.Sub = subAVX512
	k.Mul = mulAVX512
	k.Div = divAVX512
	k.Max = maxAVX512
	k.Min = minAVX512
	k.MulAdd = mulAddAVX512
	k.Select = selectByAVX512
}
