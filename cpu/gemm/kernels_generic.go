package gemm

import "unsafe"

// The Go tier, which is the reference of the assembly too. Pointers, because an argument block has no lengths:
// the driver checks its operands once.

func at(p unsafe.Pointer, offset uintptr) float32 { return *(*float32)(unsafe.Add(p, offset)) }

// next moves an argument block on to the tile below.
func (a *Args) next(rows int) {
	a.A, a.C = unsafe.Add(a.A, a.TileA), unsafe.Add(a.C, a.TileC)
	if a.Flags&MaskReLU != 0 {
		a.Aux = unsafe.Add(a.Aux, a.TileC)
	}
	if a.Flags&AddRowBias != 0 {
		a.RowBias = unsafe.Add(a.RowBias, 4*rows)
	}
}

// microGo computes a.Tiles tiles of rows x cols, at most 4x4.
func microGo(a *Args, rows, cols int) {
	t := *a
	for n := a.Tiles; n > 0; n-- {
		var sum [4][4]float32
		if rows == 4 && cols == 4 {
			tile4x4(&t, &sum)
		} else {
			tileGo(&t, &sum, rows, cols)
		}
		finish(&t, &sum, rows, cols)
		if n > 1 {
			t.next(rows)
		}
	}
}

// tileGo is a tile of any size up to 4x4. Offsets walk, not pointers: one behind the end would not be a valid pointer.
func tileGo(p *Args, sum *[4][4]float32, rows, cols int) {
	a, b := uintptr(0), uintptr(0)
	for range p.Segs {
		for range p.K {
			for r := range rows {
				x := at(p.A, a+uintptr(r)*p.SAM)
				for j := range cols {
					sum[r][j] += x * at(p.B, b+uintptr(j)*4)
				}
			}
			a, b = a+p.SAK, b+p.SBK
		}
		a += p.SegA
	}
}

// tile4x4 is the full tile: two halves of eight sums each, as many as registers hold.
func tile4x4(p *Args, sum *[4][4]float32) {
	for h := uintptr(0); h < 4; h += 2 {
		pa, pb, sam, sak, sbk := p.A, p.B, p.SAM, p.SAK, p.SBK
		a, b := h*sam, uintptr(0)
		var s00, s01, s02, s03, s10, s11, s12, s13 float32
		for range p.Segs {
			for range p.K {
				x0, x1 := at(pa, a), at(pa, a+sam)
				y := (*[4]float32)(unsafe.Add(pb, b))
				s00 += x0 * y[0]
				s01 += x0 * y[1]
				s02 += x0 * y[2]
				s03 += x0 * y[3]
				s10 += x1 * y[0]
				s11 += x1 * y[1]
				s12 += x1 * y[2]
				s13 += x1 * y[3]
				a, b = a+sak, b+sbk
			}
			a += p.SegA
		}
		sum[h] = [4]float32{s00, s01, s02, s03}
		sum[h+1] = [4]float32{s10, s11, s12, s13}
	}
}

// finish does the flags' work on the sums, and stores them.
func finish(p *Args, sum *[4][4]float32, rows, cols int) {
	for r := range rows {
		for j := range cols {
			offset := p.Rows[r] + uintptr(j)*4
			c := (*float32)(unsafe.Add(p.C, offset))
			v := sum[r][j]
			if p.Flags&Accumulate != 0 {
				v += *c
			}
			if p.Flags&AddBias != 0 {
				v += at(p.Bias, uintptr(j)*4)
			}
			if p.Flags&AddRowBias != 0 {
				v += at(p.RowBias, uintptr(r)*4)
			}
			if p.Flags&ReLU != 0 && v < 0 {
				v = 0
			}
			if p.Flags&MaskReLU != 0 && !(at(p.Aux, offset) > 0) {
				v = 0
			}
			*c = v
		}
	}
}

// dotGo computes rows x cols dot products, at most 4x4; four partial sums each, as adding up waits for the sum before.
func dotGo(p *Args, rows, cols int) {
	var sum [4][4]float32
	k := int(p.K)
	for r := range rows {
		a := unsafe.Slice((*float32)(unsafe.Add(p.A, uintptr(r)*p.SAM)), k)
		for j := range cols {
			b := unsafe.Slice((*float32)(unsafe.Add(p.B, uintptr(j)*p.SBK)), k)
			var s0, s1, s2, s3 float32
			i := 0
			for ; i+4 <= k; i += 4 {
				x, y := (*[4]float32)(a[i:]), (*[4]float32)(b[i:])
				s0 += x[0] * y[0]
				s1 += x[1] * y[1]
				s2 += x[2] * y[2]
				s3 += x[3] * y[3]
			}
			for ; i < k; i++ {
				s0 += a[i] * b[i]
			}
			sum[r][j] = (s0 + s1) + (s2 + s3)
		}
	}
	finish(p, &sum, rows, cols)
}

// packTransposedGo writes dst[j*nr+c] = src[c*ld+j] for j < k and c < w, zero for the c up to nr.
func packTransposedGo(dst, src []float32, k, ld, w, nr int) {
	for c := range nr {
		if c >= w {
			for j := range k {
				dst[j*nr+c] = 0
			}
			continue
		}
		for j, v := range src[c*ld : c*ld+k] {
			dst[j*nr+c] = v
		}
	}
}

// peakGo runs n rounds of twelve independent multiplications and additions and returns their arithmetic.
func peakGo(n int) float64 {
	var s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11 float32
	x, y := float32(0.5), float32(1)
	for range n {
		s0 = s0*x + y
		s1 = s1*x + y
		s2 = s2*x + y
		s3 = s3*x + y
		s4 = s4*x + y
		s5 = s5*x + y
		s6 = s6*x + y
		s7 = s7*x + y
		s8 = s8*x + y
		s9 = s9*x + y
		s10 = s10*x + y
		s11 = s11*x + y
	}
	if s0+s1+s2+s3+s4+s5+s6+s7+s8+s9+s10+s11 < 0 { // never; without it the compiler could leave the loop out
		return 0
	}
	return float64(n) * 24
}
