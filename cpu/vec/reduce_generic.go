package vec

import "math"

const (
	sumLanes = 64   // partial sums: element i of a block goes to lane i mod 64
	sumBlock = 4096 // elements of a block: 64 of each lane
	rowBlock = 64   // rows that ColumnSum adds before dst
)

// fold adds the lanes in the order in which vector registers halve: 64 to 8 in float32, the rest in float64.
func fold(l *[sumLanes]float32) float64 {
	for h := sumLanes / 2; h >= 8; h /= 2 {
		for i := range h {
			l[i] += l[i+h]
		}
	}
	var d [4]float64
	for i := range d {
		d[i] = float64(l[i]) + float64(l[i+4])
	}
	return (d[0] + d[2]) + (d[1] + d[3])
}

func sumGo(x []float32) float32 {
	total := 0.0
	for len(x) > 0 {
		block := x[:min(len(x), sumBlock)]
		x = x[len(block):]
		var l [sumLanes]float32
		for i, v := range block {
			l[i%sumLanes] += v
		}
		total += fold(&l)
	}
	return float32(total)
}

func sumSquaresGo(x []float32) float32 { return dotGo(x, x) }

func dotGo(a, b []float32) float32 {
	a, b = cut2(a, b)
	total := 0.0
	for len(a) > 0 {
		n := min(len(a), sumBlock)
		var l [sumLanes]float32
		for i, v := range a[:n] {
			l[i%sumLanes] += float32(v * b[i])
		}
		a, b = a[n:], b[n:]
		total += fold(&l)
	}
	return float32(total)
}

func maxReduceGo(x []float32) float32 {
	m := float32(math.Inf(-1))
	for _, v := range x {
		if v > m || v != v {
			m = v
		}
		if m != m {
			break
		}
	}
	return m
}

func minReduceGo(x []float32) float32 {
	m := float32(math.Inf(1))
	for _, v := range x {
		if v < m || v != v {
			m = v
		}
		if m != m {
			break
		}
	}
	return m
}

func columnSumGo(dst, src []float32, rows, ld int) {
	var sum [256]float32
	for j0 := 0; j0 < len(dst); j0 += len(sum) {
		d := dst[j0:min(j0+len(sum), len(dst))]
		for r0 := 0; r0 < rows; r0 += rowBlock {
			s := sum[:len(d)]
			clear(s)
			for r := r0; r < min(r0+rowBlock, rows); r++ {
				addGo(s, s, src[r*ld+j0:][:len(d)])
			}
			addGo(d, d, s)
		}
	}
}

func sumBlocksGo(dst, src []float32, blocks int) {
	clear(dst)
	columnSumGo(dst, src, blocks, len(dst))
}

func softmaxGo(dst, x []float32, s float32) {
	dst, x = cut2(dst, x)
	top, total := maxReduceGo(x), 0.0
	for i, v := range x {
		e := math.Exp(float64((v - top) * s))
		dst[i] = float32(e)
		total += e
	}
	for i, v := range dst {
		dst[i] = float32(float64(v) / total)
	}
}

// allFiniteGo uses that x-x is 0 for finite x and NaN otherwise.
func allFiniteGo(x []float32) bool {
	for _, v := range x {
		if v-v != 0 {
			return false
		}
	}
	return true
}
