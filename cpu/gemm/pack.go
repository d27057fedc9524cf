package gemm

// packTaskFloats is about what a task of phase 1 copies: some 30 microseconds.
const packTaskFloats = 1 << 16

// packTasks returns how many tasks pack an operand of size lines of k floats, in units that are packed together.
func packTasks(size, unit, k int) int {
	units := (size + unit - 1) / unit
	return max(1, min(units, (size*k+packTaskFloats-1)/packTaskFloats))
}

// PackTasks returns the number of tasks of phase 1: 0 where nothing is packed ahead.
func (p *Plan) PackTasks() int { return p.packTasksA + p.packTasksB }

// Pack runs a task of phase 1: a part of A or B goes to shared, which has SharedFloats floats. An operand that is not
// packed ahead may be nil. As long as an operand does not change, its packed copy stays good.
func (p *Plan) Pack(task int, a, b, shared []float32) {
	if task < p.packTasksA {
		m0, m1 := part(p.M, p.geo.mr, p.packTasksA, task)
		at := m0 * rowStride(p.K)
		if p.panelsA() {
			at = m0 * p.K
		}
		p.packBlockA(shared[at:p.sharedB], a, m0, m1, 0, p.K)
		return
	}
	n0, n1 := part(p.N, p.geo.nr, p.packTasksB, task-p.packTasksA)
	p.packBlockB(shared[p.sharedB+n0*p.K:], b, n0, n1, 0, p.K)
}

// packBlockB writes the columns n0..n1 and the steps k0..k1 of op(B) as panels.
func (p *Plan) packBlockB(dst, b []float32, n0, n1, k0, k1 int) {
	k, nr := k1-k0, p.geo.nr
	if k == 0 {
		return
	}
	for n := n0; n < n1; n += nr {
		if p.TransB {
			packTransposed(p.tier, dst[(n-n0)*k:], b[n*p.LDB+k0:], k, p.LDB, min(nr, n1-n))
		} else {
			packRows(p.tier, dst[(n-n0)*k:], b[k0*p.LDB+n:], k, p.LDB, min(nr, n1-n))
		}
	}
}

// packBlockA writes the rows m0..m1 and the steps k0..k1 of op(A): rows, or panels where A is transposed.
func (p *Plan) packBlockA(dst, a []float32, m0, m1, k0, k1 int) {
	k, mr := k1-k0, p.geo.mr
	if k == 0 {
		return
	}
	if !p.TransA {
		ld := rowStride(k)
		for m := m0; m < m1; m++ {
			copy(dst[(m-m0)*ld:(m-m0)*ld+k], a[m*p.LDA+k0:])
		}
		return
	}
	for m := m0; m < m1; m += mr {
		packColumns(dst[(m-m0)*k:(m-m0+mr)*k], a[k0*p.LDA+m:], k, p.LDA, min(mr, m1-m), mr)
	}
}

// packColumns copies k rows of w <= mr floats, ld apart, into rows of mr. Two overlapping copies of a fixed size
// are a few instructions where copy is a call.
func packColumns(dst, src []float32, k, ld, w, mr int) {
	switch {
	case w > 8 && w <= 16:
		for i := range k {
			d, s := dst[i*mr:i*mr+w], src[i*ld:i*ld+w]
			x, y := *(*[8]float32)(s), *(*[8]float32)(s[w-8:])
			*(*[8]float32)(d), *(*[8]float32)(d[w-8:]) = x, y
		}
	case w >= 4 && w <= 8:
		for i := range k {
			d, s := dst[i*mr:i*mr+w], src[i*ld:i*ld+w]
			*(*[4]float32)(d) = *(*[4]float32)(s)
			*(*[4]float32)(d[w-4:]) = *(*[4]float32)(s[w-4:])
		}
	default:
		for i := range k {
			copy(dst[i*mr:i*mr+w], src[i*ld:])
		}
	}
}
