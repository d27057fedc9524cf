package gemm

import (
	"fmt"
	"unsafe"
)

// Call is what one run of a plan reads and writes. It may live in a worker and be used again: nothing is kept of it.
type Call struct {
	A, B, C []float32
	Shared  []float32 // SharedFloats, filled by phase 1; nil if 0
	Local   []float32 // LocalFloats, this worker's own; nil if 0
	PackerA PackerA   // with Options.CustomA, in place of A
	PackerB PackerB   // with Options.CustomB, in place of B

	// What is done to each element on its way from the registers to C, in this order; none of it costs a pass.
	Bias    []float32 // N: added by column
	RowBias []float32 // M: added by row
	ReLU    bool      // 0 where negative; NaN stays
	Mask    []float32 // laid out as C: 0 where Mask is not above 0, the gradient of a ReLU with the output Mask

	// Epilogue is called for each finished block of C while it is in the cache: all rows of the task by some 100 to 500
	// columns, so a call may cost a microsecond.
	Epilogue func(row0, row1, col0, col1 int)
}

// Run is Do without the extras.
func (p *Plan) Run(task int, a, b, c, shared, local []float32, epilogue func(row0, row1, col0, col1 int)) {
	p.Do(task, &Call{A: a, B: b, C: c, Shared: shared, Local: local, Epilogue: epilogue})
}

// Do runs a task of phase 2. It allocates nothing. It panics if a slice is shorter than the plan needs.
func (p *Plan) Do(task int, c *Call) {
	p.check(c)
	row0, row1, col0, col1 := p.Block(task)
	var g Args
	r := run{Plan: p, Call: c, args: &g}
	for i := range r.args.Rows {
		r.args.Rows[i] = uintptr(i * p.LDC * 4)
	}
	r.args.Segs = 1
	if p.dot {
		r.dots(row0, row1, col0, col1)
		return
	}
	for n := col0; n < col1; n += p.nc {
		r.columns(row0, row1, n, min(n+p.nc, col1))
		if c.Epilogue != nil {
			c.Epilogue(row0, row1, n, min(n+p.nc, col1))
		}
	}
}

// check compares the lengths once, because the kernels do not know them.
func (p *Plan) check(c *Call) {
	need := func(name string, have []float32, want int) {
		if len(have) < want {
			panic(fmt.Sprintf("gemm: %s has %d floats, %v needs %d", name, len(have), p.Shape, want))
		}
	}
	if p.packA != PackShared && !p.custom[0] {
		rows, cols := stored(p.M, p.K, p.TransA)
		need("A", c.A, floats(rows, cols, p.LDA))
	}
	if p.packB != PackShared && !p.custom[1] {
		rows, cols := stored(p.K, p.N, p.TransB)
		need("B", c.B, floats(rows, cols, p.LDB))
	}
	need("C", c.C, floats(p.M, p.N, p.LDC))
	need("Shared", c.Shared, p.SharedFloats())
	need("Local", c.Local, p.LocalFloats())
	if c.Bias != nil {
		need("Bias", c.Bias, p.N)
	}
	if c.RowBias != nil {
		need("RowBias", c.RowBias, p.M)
	}
	if c.Mask != nil {
		need("Mask", c.Mask, floats(p.M, p.N, p.LDC))
	}
}

// run is one task under way.
type run struct {
	*Plan
	*Call
	args *Args // beside the run, not in it: what the kernels' arguments point to is kept apart, so nothing moves to the heap
}

// operand is a block of A or B as the kernels walk it; a line is a row of op(A), or a panel of op(B).
type operand struct {
	at   unsafe.Pointer
	line uintptr // bytes from one line to the next
	row  uintptr // A: bytes between rows within a tile
	step uintptr // bytes between steps of K
}

// ptr is the address of s[i], or of s where s has no such element (an empty operand, of which nothing is read): the
// garbage collector takes a pointer behind the end for one to the next object.
func ptr(s []float32, i int) unsafe.Pointer {
	if i >= len(s) {
		i = 0
	}
	return unsafe.Add(unsafe.Pointer(unsafe.SliceData(s)), i*4)
}

// columns computes the columns n0..n1 of C for the rows row0..row1, over the whole of K.
func (r *run) columns(row0, row1, n0, n1 int) {
	for k0 := 0; ; k0 += r.kc {
		k1 := min(r.K, k0+r.kc)
		r.setFlags(k0 == 0, k1 == r.K)
		b := r.blockB(n0, n1, k0, k1)
		for m0 := row0; m0 < row1; m0 += r.mc {
			m1 := min(row1, m0+r.mc)
			r.tiles(r.blockA(m0, m1, k0, k1), b, m0, m1, n0, n1, k1-k0)
		}
		if k1 == r.K {
			return
		}
	}
}

// setFlags says what happens to the sums of a block of K.
func (r *run) setFlags(first, last bool) {
	f := uintptr(0)
	if r.Accumulate || !first {
		f |= Accumulate
	}
	if last {
		if r.Bias != nil {
			f |= AddBias
		}
		if r.RowBias != nil {
			f |= AddRowBias
		}
		if r.ReLU {
			f |= ReLU
		}
		if r.Mask != nil {
			f |= MaskReLU
		}
	}
	r.args.Flags = f
}

// blockB makes a block of B ready: in place, packed ahead, or packed now.
func (r *run) blockB(n0, n1, k0, k1 int) operand {
	nr := uintptr(r.geo.nr) * 4
	switch r.packB {
	case PackNone:
		return operand{at: ptr(r.B, k0*r.LDB+n0), line: nr, step: uintptr(r.LDB) * 4}
	case PackShared:
		return operand{at: ptr(r.Shared, r.sharedB+n0*r.K+k0*r.geo.nr), line: nr * uintptr(r.Plan.K), step: nr}
	}
	dst := r.Local[r.localFloatsA():]
	if r.custom[1] {
		r.PackerB.PackB(dst[:up(n1-n0, r.geo.nr)*(k1-k0)], k0, k1, n0, n1)
	} else {
		r.packBlockB(dst, r.B, n0, n1, k0, k1)
	}
	return operand{at: ptr(dst, 0), line: nr * uintptr(k1-k0), step: nr}
}

// blockA makes a block of A ready: in place, packed ahead, or packed now.
func (r *run) blockA(m0, m1, k0, k1 int) operand {
	lda, k := uintptr(r.LDA)*4, k1-k0
	if r.packA == PackNone {
		if r.TransA {
			return operand{at: ptr(r.A, k0*r.LDA+m0), line: 4, row: 4, step: lda}
		}
		return operand{at: ptr(r.A, m0*r.LDA+k0), line: lda, row: lda, step: 4}
	}
	src, at := r.Local, 0
	switch {
	case r.packA == PackShared && r.panelsA():
		src, at, k = r.Shared, m0*r.K+k0*r.geo.mr, r.K
	case r.packA == PackShared:
		src, at, k = r.Shared, m0*rowStride(r.K)+k0, r.K
	case r.custom[0]:
		r.PackerA.PackA(src, rowStride(k), m0, m1, k0, k1)
	default:
		r.packBlockA(src, r.A, m0, m1, k0, k1)
	}
	if r.panelsA() {
		return operand{at: ptr(src, at), line: uintptr(k) * 4, row: 4, step: uintptr(r.geo.mr) * 4}
	}
	row := uintptr(rowStride(k)) * 4
	return operand{at: ptr(src, at), line: row, row: row, step: 4}
}

// tiles multiplies a block of A by a block of B: panel by panel, so that a panel stays in the first-level cache
// while all rows pass by. Rows are cut into equal tiles, or, if A is panels, into full ones and a rest.
func (r *run) tiles(a, b operand, m0, m1, n0, n1, k int) {
	panels := r.packA != PackNone && r.panelsA()
	rows, count, rest := split(m1-m0, r.geo.mr, panels || r.tiled)
	g := r.args
	g.K, g.SAM, g.SAK, g.SBK = uintptr(k), a.row, a.step, b.step
	for n := n0; n < n1; n += r.geo.nr {
		g.B = unsafe.Add(b.at, uintptr((n-n0)/r.geo.nr)*b.line)
		cols := min(r.geo.nr, n1-n)
		if r.Bias != nil {
			g.Bias = ptr(r.Bias, n)
		}
		if cols <= r.geo.thin && !panels { // the last panel
			rows, count, rest = split(m1-m0, r.geo.tall, false)
		}
		r.stack(a, m0, n, rows, count, cols)
		if rest.count > 0 {
			a := a
			a.at = unsafe.Add(a.at, uintptr(rows*count)*a.line)
			r.stack(a, m0+rows*count, n, rest.rows, rest.count, cols)
		}
	}
}

// stack runs count tiles of rows below each other, from row m of C on.
func (r *run) stack(a operand, m, n, rows, count, cols int) {
	g := r.args
	g.A, g.C = a.at, ptr(r.C, m*r.LDC+n)
	if r.Mask != nil {
		g.Aux = ptr(r.Mask, m*r.LDC+n)
	}
	if r.RowBias != nil {
		g.RowBias = ptr(r.RowBias, m)
	}
	g.Tiles, g.TileA, g.TileC = uintptr(count), uintptr(rows)*a.line, uintptr(rows*r.LDC)*4
	switch {
	case r.tiled:
		microTiles(g, rows, cols, uintptr(r.LDC)*4, r.Local[r.LocalFloats()-sumFloats:])
		return
	case r.pairs:
		MicroPairs(g, rows, cols)
		return
	}
	Micro(r.tier, g, rows, cols)
}

// remainder is the second kind of tiles that a number of rows is cut into.
type remainder struct{ rows, count int }

// split cuts m rows into count tiles of rows <= mr and a remainder: as equal as possible, or full ones first.
func split(m, mr int, full bool) (rows, count int, rest remainder) {
	n := (m + mr - 1) / mr
	switch {
	case n == 0:
		return 0, 0, rest
	case full && m >= mr:
		if m%mr > 0 {
			rest = remainder{m % mr, 1}
		}
		return mr, m / mr, rest
	case m%n == 0:
		return m / n, n, rest
	}
	return m/n + 1, m % n, remainder{m / n, n - m%n}
}

// dots computes a block of C by dot products: a few rows of B stay in the cache while all rows of A pass by.
func (r *run) dots(row0, row1, col0, col1 int) {
	r.setFlags(true, true)
	g := r.args
	g.K, g.SAM, g.SBK = uintptr(r.K), uintptr(r.LDA)*4, uintptr(r.LDB)*4
	mr, nr := r.geo.dotRows, r.geo.dotColumns
	for n := col0; n < col1; n += nr {
		g.B = ptr(r.B, n*r.LDB)
		if r.Bias != nil {
			g.Bias = ptr(r.Bias, n)
		}
		for m := row0; m < row1; m += mr {
			g.A, g.C = ptr(r.A, m*r.LDA), ptr(r.C, m*r.LDC+n)
			if r.Mask != nil {
				g.Aux = ptr(r.Mask, m*r.LDC+n)
			}
			if r.RowBias != nil {
				g.RowBias = ptr(r.RowBias, m)
			}
			microDot(r.tier, g, min(mr, row1-m), min(nr, col1-n))
		}
	}
	if r.Epilogue != nil {
		r.Epilogue(row0, row1, col0, col1)
	}
}
