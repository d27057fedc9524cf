//go:build amd64 && !noasm

package vec

// Optimiser updates; optim_generic.go is the reference. The kernels read the fields of h in order as float32.

//go:noescape
func adamAVX2(p1, m1, v1, p, m, v, g []float32, h *AdamArgs)

//go:noescape
func adamWAVX2(p1, m1, v1, p, m, v, g []float32, h *AdamArgs)

//go:noescape
func sgdAVX2(p1, p, g []float32, h *SGDArgs)

//go:noescape
func momentumAVX2(p1, buf1, p, buf, g []float32, h *MomentumArgs)

//go:noescape
func rmspropAVX2(p1, v1, p, v, g []float32, h *RMSpropArgs)

//go:noescape
func adamAVX512(p1, m1, v1, p, m, v, g []float32, h *AdamArgs)

//go:noescape
func adamWAVX512(p1, m1, v1, p, m, v, g []float32, h *AdamArgs)

//go:noescape
func sgdAVX512(p1, p, g []float32, h *SGDArgs)

//go:noescape
func momentumAVX512(p1, buf1, p, buf, g []float32, h *MomentumArgs)

//go:noescape
func rmspropAVX512(p1, v1, p, v, g []float32, h *RMSpropArgs)

func optimKernelsAVX2(k *Kernels) {
	k.Adam = adamAVX2
	k.AdamW = adamWAVX2
	k.SGD = sgdAVX2
	k.Momentum = momentumAVX2
	k.RMSprop = rmspropAVX2
}

func optimKernelsAVX512(k *Kernels) {
	k.Adam = adamAVX512
	k.AdamW = adamWAVX512
	k.SGD = sgdAVX512
	k.Momentum = momentumAVX512
	k.RMSprop = rmspropAVX512
}
