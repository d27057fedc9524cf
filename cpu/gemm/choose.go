package gemm

import (
	"math"

	"aetrain/cpu/cpuinfo"
)

// The decisions of NewPlan, from shape and tier alone. The numbers were measured by BenchmarkPlan on a Zen 3.

// normalise rewrites products of vectors: a column that is contiguous is a row.
func (p *Plan) normalise() {
	if p.N == 1 && !p.TransB && p.LDB == 1 && !p.custom[1] {
		p.TransB, p.LDB = true, max(1, p.K)
	}
	if p.M == 1 && p.TransA && p.LDA == 1 && !p.custom[0] {
		p.TransA, p.LDA = false, max(1, p.K)
	}
}

// chooseDot: with few rows, packing B costs more than it gives, and dot products read B once, in place. Short ones
// (small K) spend their time on adding up lanes.
func (p *Plan) chooseDot(o Options) bool {
	fits := !p.pairs && p.TransB && !p.TransA && !p.custom[0] && !p.custom[1]
	switch o.Method {
	case "":
		few := p.M <= max(1, min(p.geo.dotLimit, p.K/10)) || p.N == 1
		return fits && few && o.PackB <= PackNone && o.PackA <= PackNone
	case "dot":
		return fits
	}
	return false
}

// blocks sets the block sizes; K is cut into equal blocks.
func (p *Plan) blocks(o Options) {
	p.kc, p.mc = p.geo.kc, p.geo.mc
	if o.KC > 0 {
		p.kc = o.KC
	}
	if p.dot {
		p.kc = max(1, p.K)
	}
	if n := (p.K + p.kc - 1) / p.kc; n > 0 {
		p.kc = (p.K + n - 1) / n
	}
	if p.tiled {
		p.kc = up(p.kc, TileK)
	}
	if o.MC > 0 {
		p.mc = o.MC
	}
	p.mc = up(p.mc, p.geo.mr)
	p.nc = blockFloats / max(1, p.kc)
	if o.NC > 0 {
		p.nc = o.NC
	}
	p.nc = max(p.geo.nr, p.nc/p.geo.nr*p.geo.nr)
}

// blockFloats is the size of a block of packed B, which stays in a second-level cache of 512 KB.
const blockFloats = 96 << 10

// grid cuts C into tasks.
func (p *Plan) grid(o Options) {
	if p.M == 0 || p.N == 0 {
		return
	}
	n := o.Tasks
	switch {
	case o.Serial:
		n = 1
	case n <= 0:
		n = p.wantedTasks()
	}
	best := math.Inf(1)
	var rows, cols int
	for c := 1; c <= min(n, (p.N+p.geo.nr-1)/p.geo.nr); c++ {
		for r := max(1, n/c); r <= (n+c-1)/c && r <= (p.M+p.geo.mr-1)/p.geo.mr; r++ {
			p.rowTasks, p.colTasks = r, c
			if cost := p.gridCost(); cost < best {
				best, rows, cols = cost, r, c
			}
		}
	}
	p.rowTasks, p.colTasks = max(1, rows), max(1, cols)
	if rows == 0 { // more tasks wanted than there are tiles
		p.rowTasks, p.colTasks = (p.M+p.geo.mr-1)/p.geo.mr, (p.N+p.geo.nr-1)/p.geo.nr
	}
}

// Of a transposed A and a long K, the packed copies leave the caches: larger blocks of C then read them less often, at best some
// longBlock elements each.
const (
	longK     = 2048
	longBlock = 1 << 14
)

// taskFloats is how much of operands and result a task touches, at most, where there is little arithmetic to them.
const taskFloats = 1 << 15

// wantedTasks: about 200 microseconds each; 100 where there would be fewer than 64; less where there would be too few to
// share, never under some 10.
func (p *Plan) wantedTasks() int {
	n := p.Flops() / p.geo.taskFlops
	touched := float64(p.M*p.K+p.K*p.N+p.M*p.N) / taskFloats
	n = max(n/2, min(64, n), min(16, 4*n), min(4, 16*n), min(16, touched))
	if p.TransA && p.K > longK && p.custom == [2]bool{} {
		n = min(n, max(16, float64(p.M*p.N)/longBlock))
	}
	switch k := int(n); {
	case k >= 8:
		return up(k, 4)
	case k > 2:
		return up(k, 2)
	default:
		return max(1, k)
	}
}

// gridCost estimates the time of the tasks on 1, 2, 4 and 8 workers that own equal ranges of them. A task's time is its
// tiles, padding included, and reading its rows of A and columns of B: each costs as much as some more columns or rows.
func (p *Plan) gridCost() float64 {
	perRow, perCol := 2.0, 2.0
	if p.TransB || p.custom[1] {
		perCol = 6 // a column of B is packed by each range of rows
	}
	if p.custom[0] {
		perRow = 6
	}
	cost, n := 0.0, p.Tasks()
	for _, workers := range [...]int{1, 2, 4, 8} {
		longest := 0.0
		for w := range workers {
			sum := 0.0
			for task := w * n / workers; task < (w+1)*n/workers; task++ {
				row0, row1, col0, col1 := p.Block(task)
				m, k := float64(up(row1-row0, p.geo.mr)), float64(up(col1-col0, p.geo.nr))
				sum += m*k + perRow*m + perCol*k
			}
			longest = max(longest, sum)
		}
		cost += longest * float64(workers)
	}
	if p.TransB && !p.custom[1] && p.rowTasks > 1 {
		cost *= 1.04 // a phase of its own, and a barrier behind it
	}
	return cost
}

// conflicts says that k rows ld floats apart, of which a kernel reads one or two cache lines each, do not stay in a
// first-level cache of 64 sets of 8 lines: rows a multiple of 4 KB apart all fall into one set.
func conflicts(k, ld int) bool {
	const sets, ways, line = 64, 8, 16
	if ld%line != 0 { // spread over all sets, but a panel's row straddles two lines
		return min(2*k, k*ld/line) > sets*ways*3/4
	}
	shared := 1
	for d := ld / line; d%2 == 0 && shared < sets; d /= 2 {
		shared *= 2
	}
	return k > sets/shared*ways*3/4
}

// block returns about the rows and columns of a task.
func (p *Plan) block() (m, n int) { return p.M / max(1, p.rowTasks), p.N / max(1, p.colTasks) }

// choosePackA: the columns of a transposed A are packed where many columns of B share the cost; rows are read in place,
// unless they are a multiple of 4 KB apart and push each other out of the caches.
func (p *Plan) choosePackA(o Options) Packing {
	_, n := p.block()
	switch {
	case p.custom[0]:
		return PackLocal
	case p.dot:
		return PackNone
	case o.PackA == PackShared && o.Serial:
		return PackLocal
	case o.PackA != PackAuto:
		return o.PackA
	case p.K < 32 || p.N < 4*p.geo.nr:
		return PackNone
	case p.TransA && p.tier != cpuinfo.AVX2 && p.kc < 256 && !conflicts(p.kc, p.LDA):
		return PackNone
	case !p.TransA && p.LDA%1024 != 0:
		return PackNone
	case p.colTasks > 1 && n < 8*p.geo.nr && !o.Serial:
		return PackShared
	}
	return PackLocal
}

// choosePackB: a transposed B has to be packed; another is, where its rows would push each other out of the cache or
// many rows of A share the cost.
func (p *Plan) choosePackB(o Options) Packing {
	m, _ := p.block()
	want := p.TransB || p.M >= 4*p.geo.mr && (p.M >= 256 || conflicts(p.kc, p.LDB))
	switch {
	case p.custom[1]:
		return PackLocal
	case p.dot:
		return PackNone
	case o.PackB == PackShared && o.Serial:
		return PackLocal
	case o.PackB == PackNone && p.TransB:
		return PackLocal
	case o.PackB != PackAuto:
		return o.PackB
	case !want:
		return PackNone
	case p.rowTasks > 1 && !o.Serial && (p.rowTasks >= 4 || m < 96):
		return PackShared
	}
	return PackLocal
}
