//go:build amd64 && !noasm

package vec

// Activations and their gradients. activation_generic.go is the reference.

//go:noescape
func reluAVX2(dst, x []float32)

//go:noescape
func geluAVX2(dst, x []float32)

//go:noescape
func siluAVX2(dst, x []float32)

//go:noescape
func leakyReLUAVX2(dst, x []float32, s float32)

//go:noescape
func eluAVX2(dst, x []float32, s float32)

//go:noescape
func reluGradAVX2(dst, a, b []float32)

//go:noescape
func sigmoidGradAVX2(dst, a, b []float32)

//go:noescape
func tanhGradAVX2(dst, a, b []float32)

//go:noescape
func geluGradAVX2(dst, a, b []float32)

//go:noescape
func siluGradAVX2(dst, a, b []float32)

//go:noescape
func bceWithLogitsAVX2(dst, a, b []float32)

//go:noescape
func bceAndSigmoidAVX2(loss, sigmoid, a, b []float32)

//go:noescape
func leakyReLUGradAVX2(dst, a, b []float32, s float32)

//go:noescape
func eluGradAVX2(dst, a, b []float32, s float32)

//go:noescape
func reluAVX512(dst, x []float32)

//go:noescape
func geluAVX512(dst, x []float32)

//go:noescape
func siluAVX512(dst, x []float32)

//go:noescape
func leakyReLUAVX512(dst, x []float32, s float32)

//go:noescape
func eluAVX512(dst, x []float32, s float32)

//go:noescape
func reluGradAVX512(dst, a, b []float32)

//go:noescape
func sigmoidGradAVX512(dst, a, b []float32)

//go:noescape
func tanhGradAVX512(dst, a, b []float32)

//go:noescape
func geluGradAVX512(dst, a, b []float32)

//go:noescape
func siluGradAVX512(dst, a, b []float32)

//go:noescape
func bceWithLogitsAVX512(dst, a, b []float32)

//go:noescape
func bceAndSigmoidAVX512(loss, sigmoid, a, b []float32)

//go:noescape
func leakyReLUGradAVX512(dst, a, b []float32, s float32)

//go:noescape
func eluGradAVX512(dst, a, b []float32, s float32)

func activationKernelsAVX2(k *Kernels) {
	k.ReLU = reluAVX2
	k.GELU = geluAVX2
	k.SiLU = siluAVX2
	k.LeakyReLU = leakyReLUAVX2
	k.ELU = eluAVX2
	k.ReLUGrad = reluGradAVX2
	k.SigmoidGrad = sigmoidGradAVX2
	k.TanhGrad = tanhGradAVX2
	k.GELUGrad = geluGradAVX2
	k.SiLUGrad = siluGradAVX2
	k.BCEWithLogits = bceWithLogitsAVX2
	k.BCEAndSigmoid = bceAndSigmoidAVX2
	k.LeakyReLUGrad = leakyReLUGradAVX2
	k.ELUGrad = eluGradAVX2
}

func activationKernelsAVX512(k *Kernels) {
	k.ReLU = reluAVX512
	k.GELU = geluAVX512
	k.SiLU = siluAVX512
	k.LeakyReLU = leakyReLUAVX512
	k.ELU = eluAVX512
	k.ReLUGrad = reluGradAVX512
	k.SigmoidGrad = sigmoidGradAVX512
	k.TanhGrad = tanhGradAVX512
	k.GELUGrad = geluGradAVX512
	k.SiLUGrad = siluGradAVX512
	k.BCEWithLogits = bceWithLogitsAVX512
	k.BCEAndSigmoid = bceAndSigmoidAVX512
	k.LeakyReLUGrad = leakyReLUGradAVX512
	k.ELUGrad = eluGradAVX512
}
