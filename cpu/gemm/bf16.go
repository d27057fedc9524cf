package gemm

import (
	"math"
	"unsafe"
)

// Products of bfloat16, summed in float32. Two neighbours along K share the 32 bits of a float, the first one in the lower half, as
// VDPBF16PS takes them: so all that packs and walks floats does so with pairs, K is half as long, and only the tile is another.

// Pairs makes pairs of a matrix of floats that lie ld apart, rounded to the nearest bfloat16, ties to even; an odd end is paired with 0.
// With down, two rows become one (K runs down, as in a transposed A and a plain B): dst is pairs×cols. Else two columns do: dst is
// rows×pairs. Behind the pairs that there are, dst is filled up with zeros. Whole matrices or parts of them may be made, by any worker:
// down, parts begin at even rows.
func Pairs(dst, src []float32, rows, cols, ld, pairs int, down bool) {
	if !down {
		for r := range rows {
			to := dst[r*pairs : (r+1)*pairs]
			pairsAlong(to[:(cols+1)/2], src[r*ld:r*ld+cols])
			clear(to[(cols+1)/2:])
		}
		return
	}
	clear(dst[(rows+1)/2*cols : pairs*cols])
	for r := 0; r < rows; r += 2 {
		lo := src[r*ld : r*ld+cols]
		to := dst[r/2*cols : (r/2+1)*cols]
		if r+1 == rows {
			for i, x := range lo {
				to[i] = pair(x, 0)
			}
			continue
		}
		hi := src[(r+1)*ld : (r+1)*ld+cols]
		for i := pairsOfRows(to, lo, hi); i < cols; i++ {
			to[i] = pair(lo[i], hi[i])
		}
	}
}

// pairsAlong makes pairs of a row.
func pairsAlong(dst, src []float32) {
	for i := pairsOf(dst, src); i < len(dst); i++ {
		hi := float32(0)
		if 2*i+1 < len(src) {
			hi = src[2*i+1]
		}
		dst[i] = pair(src[2*i], hi)
	}
}

// pair rounds two floats.
func pair(lo, hi float32) float32 {
	return math.Float32frombits(roundBF16(lo)>>16 | roundBF16(hi)&0xffff0000)
}

// roundBF16 is a float whose upper half is the nearest bfloat16; NaN stays one.
func roundBF16(x float32) uint32 {
	b := math.Float32bits(x)
	if x != x {
		return b | 0x400000
	}
	return b + 0x7fff + b>>16&1
}

// microPairsGo is the reference of the tiles: any number of rows and columns, element by element. VDPBF16PS takes denormal numbers
// for 0, this does not: they are smaller than 1e-37.
func microPairsGo(a *Args, rows, cols int) {
	t := *a
	for n := max(1, a.Tiles); n > 0; n-- {
		for r := range rows {
			for j := range cols {
				elementPairs(&t, r, j)
			}
		}
		if n > 1 {
			t.next(rows)
		}
	}
}

// elementPairs computes one element.
func elementPairs(p *Args, r, j int) {
	sum := float32(0)
	at, bt := uintptr(r)*p.SAM, uintptr(j)*4
	for range p.Segs {
		for range p.K {
			sum = addPair(sum, pairAt(p.A, at), pairAt(p.B, bt))
			at, bt = at+p.SAK, bt+p.SBK
		}
		at += p.SegA
	}
	store(p, p.Rows[r], r, j, sum)
}

// store does the flags' work on the sum of one element, and stores it in its row of C, which begins at offset row.
func store(p *Args, row uintptr, r, j int, value float32) {
	one, sum := *p, [4][4]float32{{value}}
	offset := row + uintptr(j)*4
	one.C, one.Rows[0] = unsafe.Add(p.C, offset), 0
	if p.Flags&MaskReLU != 0 {
		one.Aux = unsafe.Add(p.Aux, offset)
	}
	if p.Flags&AddBias != 0 {
		one.Bias = unsafe.Add(p.Bias, j*4)
	}
	if p.Flags&AddRowBias != 0 {
		one.RowBias = unsafe.Add(p.RowBias, r*4)
	}
	finish(&one, &sum, 1, 1)
}

func pairAt(p unsafe.Pointer, offset uintptr) uint32 { return *(*uint32)(unsafe.Add(p, offset)) }

// addPair adds the products of two pairs: the upper ones first, each sum rounded, as the instruction does (Intel's manual, volume 2).
func addPair(sum float32, x, y uint32) float32 {
	f := math.Float32frombits
	sum += f(x&0xffff0000) * f(y&0xffff0000)
	return sum + f(x<<16)*f(y<<16)
}
