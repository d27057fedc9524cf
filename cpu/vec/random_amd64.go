//go:build amd64 && !noasm

package vec

// Random numbers; internal/philox is the reference. The kernels fill whole turns of 32 (AVX2) or 64 (AVX-512) elements; the rest of
// dst goes by way of a turn on the stack. key0 and key1 are the low and the high word of the seed.

//go:noescape
func uniformsAVX2(dst []float32, key0, key1, block0, row, step, stream uint32)

//go:noescape
func normalsAVX2(dst []float32, key0, key1, block0, row, step, stream uint32)

//go:noescape
func uniformsAVX512(dst []float32, key0, key1, block0, row, step, stream uint32)

//go:noescape
func normalsAVX512(dst []float32, key0, key1, block0, row, step, stream uint32)

func randomKernelsAVX2(k *Kernels) {
	k.Uniforms = func(dst []float32, seed uint64, block0, row, step, stream uint32) {
		key0, key1, whole := uint32(seed), uint32(seed>>32), len(dst)&^31
		uniformsAVX2(dst[:whole], key0, key1, block0, row, step, stream)
		if whole < len(dst) {
			var turn [32]float32
			uniformsAVX2(turn[:], key0, key1, block0+uint32(whole/4), row, step, stream)
			copy(dst[whole:], turn[:])
		}
	}
	k.Normals = func(dst []float32, seed uint64, block0, row, step, stream uint32) {
		key0, key1, whole := uint32(seed), uint32(seed>>32), len(dst)&^31
		normalsAVX2(dst[:whole], key0, key1, block0, row, step, stream)
		if whole < len(dst) {
			var turn [32]float32
			normalsAVX2(turn[:], key0, key1, block0+uint32(whole/4), row, step, stream)
			copy(dst[whole:], turn[:])
		}
	}
}

func randomKernelsAVX512(k *Kernels) {
	k.Uniforms = func(dst []float32, seed uint64, block0, row, step, stream uint32) {
		key0, key1, whole := uint32(seed), uint32(seed>>32), len(dst)&^63
		uniformsAVX512(dst[:whole], key0, key1, block0, row, step, stream)
		if whole < len(dst) {
			var turn [64]float32
			uniformsAVX512(turn[:], key0, key1, block0+uint32(whole/4), row, step, stream)
			copy(dst[whole:], turn[:])
		}
	}
	k.Normals = func(dst []float32, seed uint64, block0, row, step, stream uint32) {
		key0, key1, whole := uint32(seed), uint32(seed>>32), len(dst)&^63
		normalsAVX512(dst[:whole], key0, key1, block0, row, step, stream)
		if whole < len(dst) {
			var turn [64]float32
			normalsAVX512(turn[:], key0, key1, block0+uint32(whole/4), row, step, stream)
			copy(dst[whole:], turn[:])
		}
	}
}
