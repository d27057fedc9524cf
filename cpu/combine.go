package cpu

import "unsafe"

// combineArgs is the argument block of combine; steps are in bytes. The layout is known to the generator (kernels/asm/conv.go).
type combineArgs struct {
	dst              unsafe.Pointer
	src              [4]unsafe.Pointer
	coef             [4]float32
	n, count         uintptr // floats of a vector; vectors of a row
	dstStep, srcStep uintptr // from one vector to the next
	rows             uintptr
	dstRow, srcRow   uintptr // from behind a row to the next
}

// linear is a sum of vectors, each times a number.
type linear struct {
	terms int
	src   [4][]float32
	coef  [4]float32
}

// grid says which vectors of n floats a sum is taken for, and where they lie: rows of count.
type grid struct {
	n, count, rows   int
	dstStep, srcStep int // floats from one vector to the next
	dstRow, srcRow   int // from one row to the next
}

// one is a single vector.
func one(n int) grid { return grid{n: n, count: 1, rows: 1} }

// combineGo writes the vectors of a grid, from element `from` of each on: dst = Σ coef·src.
func combineGo(dst []float32, l *linear, g grid, from int) {
	for c := range g.rows * g.count {
		d := dst[c/g.count*g.dstRow+c%g.count*g.dstStep:][:g.n]
		for i := from; i < g.n; i++ {
			at := c/g.count*g.srcRow + c%g.count*g.srcStep + i
			sum := l.coef[0] * l.src[0][at]
			for t := 1; t < l.terms; t++ {
				sum += l.coef[t] * l.src[t][at]
			}
			d[i] = sum
		}
	}
}
