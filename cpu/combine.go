package cpu

import "unsafe"

// combineArgs is the argument block of combine; steps are in bytes. The layout is known to the generator (kernels/asm/conv.go).
type combineArgs struct {
	dst              unsafe.Pointer
	src              [4]unsafe.Pointer
	coef             [4]float32
	n, count         uintptr // floats of a vector; vectors
	dstStep, srcStep uintptr // from one vector to the next
}

// linear is a sum of vectors, each times a number.
type linear struct {
	terms int
	src   [4][]float32
	coef  [4]float32
}

// combineGo writes count vectors of n floats: dst = Σ coef·src. From one to the next, dst goes on by dstStep floats, src by srcStep.
func combineGo(dst []float32, l *linear, from, n, count, dstStep, srcStep int) {
	for c := range count {
		d := dst[c*dstStep : c*dstStep+n]
		for i := from; i < n; i++ {
			at := c*srcStep + i
			sum := l.coef[0] * l.src[0][at]
			for t := 1; t < l.terms; t++ {
				sum += l.coef[t] * l.src[t][at]
			}
			d[i] = sum
		}
	}
}
