package gemm

// packTaskFloats is about what a task of phase 1 copies: some 30 microseconds. Where that makes fewer than four tasks, there are as many
// of at least packLeastFloats: one core would pack while the others wait.
const (
	packTaskFloats  = 1 << 16
	packLeastFloats = 1 << 13
)

// packTasks returns how many tasks pack an operand of size lines of k floats, in units that are packed together.
func packTasks(size, unit, k int) int {
	units := (size + unit - 1) / unit
	return max(1, min(units, max((size*k+packTaskFloats-1)/packTaskFloats, min(4, size*k/packLeastFloats))))
}

// PackTasks returns the number of tasks of phase 1: 0 where nothing is packed ahead.
func (p *Plan) PackTasks() int { return p.packTasksA + p.packTasksB }

// Pack runs a task of phase 1: a part of A or B goes to shared, which has SharedFloats floats. An operand that is not
// packed ahead may be nil. As long as an operand does not change, its packed copy stays good.
func (p *Plan) Pack(task int, a, b, shared []float32) {
	if task < p.packTasksA {
		m0, m1 := part(p.M, p.packUnitA(), p.packTasksA, task)
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
	if !p.TransB {
		packRows(p.tier, dst, b[k0*p.LDB+n0:], k, p.LDB, n1-n0, nr)
		return
	}
	for n := n0; n < n1; n += nr {
		packTransposed(p.tier, dst[(n-n0)*k:], b[n*p.LDB+k0:], k, p.LDB, min(nr, n1-n), nr)
	}
}

// packBlockA writes the rows m0..m1 and the steps k0..k1 of op(A): rows, or panels where A is transposed.
func (p *Plan) packBlockA(dst, a []float32, m0, m1, k0, k1 int) {
	k := k1 - k0
	if k == 0 {
		return
	}
	if p.TransA {
		packColumns(p.tier, dst, a[k0*p.LDA+m0:], k, p.LDA, m1-m0)
		return
	}
	ld := rowStride(k)
	for m := m0; m < m1; m++ {
		copy(dst[(m-m0)*ld:(m-m0)*ld+k], a[m*p.LDA+k0:])
	}
}

// group is the number of panels that are written side by side: their part of a source row is a few cache lines, which
// come from memory better than one a row.
const group = 8

// packColumnsGo copies k rows of w floats, ld apart, into panels of mr columns.
func packColumnsGo(dst, src []float32, k, ld, w, mr int) {
	for ; w >= mr; w -= min(group, w/mr) * mr {
		n := min(group, w/mr)
		for i := range k {
			s := src[i*ld : i*ld+n*mr]
			for q := range n {
				copyShort(dst[(q*k+i)*mr:(q*k+i+1)*mr], s[q*mr:(q+1)*mr])
			}
		}
		dst = dst[n*mr*k:]
		src = src[min(len(src), n*mr):]
	}
	if w > 0 {
		for i := range k {
			copyShort(dst[i*mr:i*mr+w], src[i*ld:i*ld+w])
		}
	}
}

// copyShort copies s to d, of the same length up to 16. Two overlapping copies of a fixed size are a few instructions
// where copy is a call.
func copyShort(d, s []float32) {
	switch n := len(s); {
	case n >= 8:
		x, y := *(*[8]float32)(s), *(*[8]float32)(s[n-8:])
		*(*[8]float32)(d), *(*[8]float32)(d[n-8:]) = x, y
	case n >= 4:
		x, y := *(*[4]float32)(s), *(*[4]float32)(s[n-4:])
		*(*[4]float32)(d), *(*[4]float32)(d[n-4:]) = x, y
	default:
		copy(d, s)
	}
}

// packRowsGo copies k rows of w floats, ld apart, into panels of nr columns, the last one filled up with zeros.
func packRowsGo(dst, src []float32, k, ld, w, nr int) {
	for ; w >= nr; w -= min(group, w/nr) * nr {
		n := min(group, w/nr)
		for i := range k {
			s := src[i*ld : i*ld+n*nr]
			for q := range n {
				copyPanelRow(dst[(q*k+i)*nr:(q*k+i+1)*nr], s[q*nr:(q+1)*nr])
			}
		}
		dst = dst[n*nr*k:]
		src = src[min(len(src), n*nr):]
	}
	if w > 0 {
		for i := range k {
			d := dst[i*nr : (i+1)*nr]
			copy(d, src[i*ld:i*ld+w])
			clear(d[w:])
		}
	}
}

// copyPanelRow copies a whole row of a panel.
func copyPanelRow(d, s []float32) {
	switch {
	case len(s) == 16:
		*(*[16]float32)(d) = *(*[16]float32)(s)
	case len(s) > 16:
		copy(d, s)
	default:
		copyShort(d, s)
	}
}
