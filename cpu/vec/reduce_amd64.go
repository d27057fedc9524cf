//go:build amd64 && !noasm

package vec

// Reductions; reduce_generic.go is the reference and defines the trees.

//go:noescape
func sumAVX2(x []float32) float32

//go:noescape
func dotAVX2(a, b []float32) float32

//go:noescape
func maxLanesAVX2(x []float32, lanes *[16]float32)

//go:noescape
func minLanesAVX2(x []float32, lanes *[16]float32)

//go:noescape
func softmaxAVX2(dst, x []float32, s float32)

//go:noescape
func allFiniteAVX2(x []float32) bool

// columnSumAVX2 needs rows above 0.
//
//go:noescape
func columnSumAVX2(dst []float32, src *float32, rows, ld int)

//go:noescape
func sumAVX512(x []float32) float32

//go:noescape
func dotAVX512(a, b []float32) float32

//go:noescape
func maxLanesAVX512(x []float32, lanes *[16]float32)

//go:noescape
func minLanesAVX512(x []float32, lanes *[16]float32)

//go:noescape
func softmaxAVX512(dst, x []float32, s float32)

//go:noescape
func allFiniteAVX512(x []float32) bool

// columnSumAVX512 needs rows above 0.
//
//go:noescape
func columnSumAVX512(dst []float32, src *float32, rows, ld int)

func reduceKernelsAVX2(k *Kernels) {
	k.Sum = sumAVX2
	k.SumSquares = func(x []float32) float32 { return dotAVX2(x, x) }
	k.Dot = dotAVX2
	k.Softmax = softmaxAVX2
	k.AllFinite = allFiniteAVX2
	k.MaxReduce = func(x []float32) float32 {
		var lanes [16]float32
		maxLanesAVX2(x, &lanes)
		return maxReduceGo(lanes[:8])
	}
	k.MinReduce = func(x []float32) float32 {
		var lanes [16]float32
		minLanesAVX2(x, &lanes)
		return minReduceGo(lanes[:8])
	}
	k.ColumnSum = func(dst, src []float32, rows, ld int) { columnSumBy(columnSumAVX2, dst, src, rows, ld) }
	k.SumBlocks = func(dst, src []float32, blocks int) {
		clear(dst)
		columnSumBy(columnSumAVX2, dst, src, blocks, len(dst))
	}
}

func reduceKernelsAVX512(k *Kernels) {
	k.Sum = sumAVX512
	k.SumSquares = func(x []float32) float32 { return dotAVX512(x, x) }
	k.Dot = dotAVX512
	k.Softmax = softmaxAVX512
	k.AllFinite = allFiniteAVX512
	k.MaxReduce = func(x []float32) float32 {
		var lanes [16]float32
		maxLanesAVX512(x, &lanes)
		return maxReduceGo(lanes[:16])
	}
	k.MinReduce = func(x []float32) float32 {
		var lanes [16]float32
		minLanesAVX512(x, &lanes)
		return minReduceGo(lanes[:16])
	}
	k.ColumnSum = func(dst, src []float32, rows, ld int) { columnSumBy(columnSumAVX512, dst, src, rows, ld) }
	k.SumBlocks = func(dst, src []float32, blocks int) {
		clear(dst)
		columnSumBy(columnSumAVX512, dst, src, blocks, len(dst))
	}
}

// columnSumBy hands blocks of rows to a kernel, which does not check bounds.
func columnSumBy(kernel func(dst []float32, src *float32, rows, ld int), dst, src []float32, rows, ld int) {
	if rows <= 0 || len(dst) == 0 {
		return
	}
	_ = src[(rows-1)*ld : (rows-1)*ld+len(dst)]
	for r := 0; r < rows; r += rowBlock {
		kernel(dst, &src[r*ld], min(rowBlock, rows-r), ld)
	}
}
