//go:build amd64 && !noasm

package vec

// Arithmetic with a scalar. scalar_generic.go is the reference.

//go:noescape
func addSAVX2(dst, x []float32, s float32)

//go:noescape
func mulSAVX2(dst, x []float32, s float32)

//go:noescape
func subRSAVX2(dst, x []float32, s float32)

//go:noescape
func divRSAVX2(dst, x []float32, s float32)

//go:noescape
func maxSAVX2(dst, x []float32, s float32)

//go:noescape
func minSAVX2(dst, x []float32, s float32)

//go:noescape
func axpyAVX2(dst, x []float32, s float32)

//go:noescape
func affineAVX2(dst, x []float32, s, c float32)

//go:noescape
func centredAVX2(dst, x []float32, mean, s, c float32)

//go:noescape
func centredPlusAVX2(dst, x, y []float32, mean, s, c, a float32)

//go:noescape
func fillAVX2(dst []float32, s float32)

//go:noescape
func addSAVX512(dst, x []float32, s float32)

//go:noescape
func mulSAVX512(dst, x []float32, s float32)

//go:noescape
func subRSAVX512(dst, x []float32, s float32)

//go:noescape
func divRSAVX512(dst, x []float32, s float32)

//go:noescape
func maxSAVX512(dst, x []float32, s float32)

//go:noescape
func minSAVX512(dst, x []float32, s float32)

//go:noescape
func axpyAVX512(dst, x []float32, s float32)

//go:noescape
func affineAVX512(dst, x []float32, s, c float32)

//go:noescape
func centredAVX512(dst, x []float32, mean, s, c float32)

//go:noescape
func centredPlusAVX512(dst, x, y []float32, mean, s, c, a float32)

//go:noescape
func fillAVX512(dst []float32, s float32)

func scalarKernelsAVX2(k *Kernels) {
	k.AddS = addSAVX2
	k.MulS = mulSAVX2
	k.SubRS = subRSAVX2
	k.DivRS = divRSAVX2
	k.MaxS = maxSAVX2
	k.MinS = minSAVX2
	k.AXPY = axpyAVX2
	k.Affine = affineAVX2
	k.Centred = centredAVX2
	k.CentredPlus = centredPlusAVX2
	k.Fill = fillAVX2
}

func scalarKernelsAVX512(k *Kernels) {
	k.AddS = addSAVX512
	k.MulS = mulSAVX512
	k.SubRS = subRSAVX512
	k.DivRS = divRSAVX512
	k.MaxS = maxSAVX512
	k.MinS = minSAVX512
	k.AXPY = axpyAVX512
	k.Affine = affineAVX512
	k.Centred = centredAVX512
	k.CentredPlus = centredPlusAVX512
	k.Fill = fillAVX512
}
