package gemm

import "math"

// The decisions of NewPlan, from shape and tier alone. The numbers were measured by BenchmarkPlan on a Zen 3.

// chooseDot: with few rows, packing B costs more than it gives, and dot products read B once, in place.
func (p *Plan) chooseDot(o Options) bool {
	fits := p.TransB && !p.TransA && !p.custom[0] && !p.custom[1]
	switch o.Method {
	case "":
		return fits && o.PackB <= PackNone && o.PackA <= PackNone && (p.M <= 2*p.geo.dotRows || p.N < p.geo.nr/4)
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

// blockFloats is the size of a block of packed B: with a block of A it stays in a second-level cache of 512 KB.
const blockFloats = 48 << 10

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
	rows, cols := (p.M+p.geo.mr-1)/p.geo.mr, (p.N+p.geo.nr-1)/p.geo.nr
	best := math.Inf(1)
	for c := 1; c <= min(n, cols); c++ {
		r := min(rows, (n+c-1)/c)
		if cost := p.gridCost(r, c, rows, cols, n); cost < best {
			best, p.rowTasks, p.colTasks = cost, r, c
		}
	}
}

// wantedTasks: about 100 microseconds each; less where there would be too few to share, never under some 10.
func (p *Plan) wantedTasks() int {
	n := p.Flops() / p.geo.taskFlops
	n = max(n, min(16, 4*n), min(4, 16*n))
	switch k := int(n); {
	case k >= 8:
		return up(k, 4)
	case k > 2:
		return up(k, 2)
	default:
		return max(1, k)
	}
}

// gridCost estimates the time of r×c tasks for n wanted ones, over rows×cols register tiles: the largest task's
// arithmetic, what it has to read, and packing B again for each range of rows.
func (p *Plan) gridCost(r, c, rows, cols, n int) float64 {
	m := float64((rows+r-1)/r) * float64(p.geo.mr)
	w := float64((cols+c-1)/c) * float64(p.geo.nr)
	arithmetic := m * w * float64(r*c) / float64(p.M*p.N) // padding and uneven tasks
	few := 1 + 0.5*math.Max(0, 1-float64(r*c)/float64(n))
	perRow, perCol := 2.0, 2.0 // reading a row of A costs as much as perRow columns of arithmetic, and so on
	if p.TransB {
		perCol = 6 // a column of B is packed by each range of rows
	}
	if p.TransA {
		perRow = 1 // rows are weights: their owner should be the same as in the other passes
	}
	return arithmetic * few * (1 + perRow/w + perCol/m)
}

// aliases says that rows ld floats apart fall into few sets of a cache.
func aliases(ld int) bool { return ld%512 == 0 }

// choosePackA: A is read in place unless its rows would push each other out of the cache.
func (p *Plan) choosePackA(o Options) Packing {
	switch {
	case p.custom[0]:
		return PackLocal
	case p.dot:
		return PackNone
	case o.PackA == PackShared && o.Serial:
		return PackLocal
	case o.PackA != PackAuto:
		return o.PackA
	case !aliases(p.LDA) || p.N <= 4*p.geo.nr || p.K < 32:
		return PackNone
	case p.colTasks > 1 && !o.Serial:
		return PackShared
	}
	return PackLocal
}

// choosePackB: a transposed B has to be packed; another is, where its rows would push each other out of the cache or
// many rows of A share the cost.
func (p *Plan) choosePackB(o Options) Packing {
	want := p.TransB || p.M > 4*p.geo.mr && (aliases(p.LDB) || p.M >= 256 && p.K*p.N >= 1<<18)
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
	case p.rowTasks > 1 && !o.Serial:
		return PackShared
	}
	return PackLocal
}
