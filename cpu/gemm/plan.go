// Package gemm multiplies float32 matrices: C (+)= op(A)·op(B), row-major, any sizes and strides, on three instruction tiers.
//
// It is made for an executor that runs a whole training step as one parallel region. A [Plan] is made once, from the shape
// alone; at run time its tasks are called from any worker, in any order, and nothing is allocated or decided. Start with
// [NewPlan] and [Plan.Do]; a product inside another kernel's task is [Serial], or a Plan with Options.Serial.
//
// # Phases
//
// Phase 1 is Pack for each of PackTasks (often none), phase 2 Do or Run for each of Tasks, with a barrier between them.
// A task computes a block of C over the whole of K. The blocks depend on the shape and the tier, never on the number of
// threads, and each element of C is summed in an order that depends on K alone: results are the same bits on any number
// of workers. Task i owns rows or columns in order, so worker = i*workers/Tasks() gives each worker one range: of the
// weights' rows in both x·Wᵀ (NT) and dYᵀ·x (TN), as weights are out×in.
//
// # Panels
//
// A packed B is panels of NR(t) columns: element (k, n) of a block k0..k1, n0..n1 is at
// [(n-n0)/NR*NR*(k1-k0) + (k-k0)*NR + (n-n0)%NR], the last panel filled up with zeros.
// A packed A is rows (element (m, k) at [(m-m0)*ld + k-k0]) or, where A is transposed, panels of MR(t) rows with
// (m, k) at [(m-m0)/MR*MR*(k1-k0) + (k-k0)*MR + (m-m0)%MR].
package gemm

import (
	"fmt"

	"aetrain/cpu/cpuinfo"
)

// Packing says where an operand's packed copy is made.
type Packing uint8

const (
	PackAuto   Packing = iota // decided from the shape
	PackNone                  // the operand is read in place
	PackLocal                 // each task packs what it reads, into its own scratch
	PackShared                // phase 1 packs the operand, once
)

// Options override what NewPlan decides by itself; the zero value leaves everything to it.
type Options struct {
	PackA, PackB Packing
	// Method is "tile" (tiles of C in registers) or "dot" (dot products along K, without packing; only with TransB and
	// without TransA). Empty: decided from the shape. Another name, or dot where it does not fit, is taken as "tile".
	Method     string
	KC, MC, NC int // block sizes: steps of K, rows and columns; 0: the tier's
	Tasks      int // tasks wanted; 0: from the amount of arithmetic
	// Serial makes one task without a packing phase, for use inside another kernel's task.
	Serial bool
	// CustomA, CustomB: the operand comes from Call.PackerA or Call.PackerB, a block at a time, into local scratch.
	CustomA, CustomB bool
	// BF16: A and B are pairs of bfloat16, made by [Pairs], and K counts the pairs. Tiles: they are multiplied on the tiles of AMX; K is
	// then a multiple of [TileK], and A is not transposed ([PairsTransposed]).
	BF16, Tiles bool
}

// PackerB writes a block of op(B) as panels (see the package comment), zero-filled up to a whole panel.
// n0 is a multiple of NR(t); dst has room for the whole panels. A convolution writes its patches here, so that
// the matrix of patches is never stored.
type PackerB interface {
	PackB(dst []float32, k0, k1, n0, n1 int)
}

// PackerA writes a block of op(A) as rows: element (m, k) at dst[(m-m0)*ld + k-k0].
type PackerA interface {
	PackA(dst []float32, ld, m0, m1, k0, k1 int)
}

// Plan is a product with all decisions made. It is read-only after NewPlan: any number of workers may use it at once.
type Plan struct {
	Shape
	tier         cpuinfo.Tier
	geo          geometry
	dot          bool
	pairs, tiled bool    // operands are pairs of bfloat16; they are multiplied by AMX
	custom       [2]bool // A, B
	packA, packB Packing
	kc, mc, nc   int
	rowTasks     int // the grid of tasks over C
	colTasks     int
	sharedB      int // where B begins in the shared buffer, behind A
	packTasksA   int
	packTasksB   int
}

// NewPlan decides how t computes s. It panics when the shape is inconsistent.
func NewPlan(t cpuinfo.Tier, s Shape, o Options) *Plan {
	p := new(Plan)
	p.init(t, s, o)
	return p
}

func (p *Plan) init(t cpuinfo.Tier, s Shape, o Options) {
	*p = Plan{Shape: s.fill(), tier: t, geo: geometries[t], custom: [2]bool{o.CustomA, o.CustomB}, pairs: o.BF16}
	if o.Tiles {
		p.tile()
	}
	p.normalise()
	p.dot = p.chooseDot(o)
	p.blocks(o)
	p.grid(o)
	p.packA, p.packB = p.choosePackA(o), p.choosePackB(o)
	if p.packA == PackShared {
		p.sharedB = up(p.sharedFloatsA(), 16)
		p.packTasksA = packTasks(p.M, p.packUnitA(), p.K)
	}
	if p.packB == PackShared {
		p.packTasksB = packTasks(p.N, p.geo.nr, p.K)
	}
}

// tile makes p a plan for tiles.
func (p *Plan) tile() {
	if p.TransA || p.K%TileK != 0 {
		panic(fmt.Sprintf("gemm: tiles want rows of A and a K of whole tiles of %d pairs, not %v", TileK, p.Shape))
	}
	p.tiled, p.geo = true, tileGeometry
	if p.tier != cpuinfo.AVX512 { // whose panels of B are as wide
		p.tier = cpuinfo.Go
	}
}

// Tier returns the tier that p was made for.
func (p *Plan) Tier() cpuinfo.Tier { return p.tier }

// Method returns "tile" or "dot".
func (p *Plan) Method() string {
	if p.dot {
		return "dot"
	}
	return "tile"
}

// Packs returns where A and B are packed, never PackAuto.
func (p *Plan) Packs() (a, b Packing) { return p.packA, p.packB }

// String names a packing: auto, none, local or shared.
func (p Packing) String() string { return [...]string{"auto", "none", "local", "shared"}[p&3] }

// SharedFloats returns the length of the buffer that phase 1 fills and phase 2 reads; best from [Alloc].
func (p *Plan) SharedFloats() int {
	switch {
	case p.packB == PackShared:
		return p.sharedB + up(p.N, p.geo.nr)*p.K
	case p.packA == PackShared:
		return p.sharedB
	}
	return 0
}

// sharedFloatsA is the length of the packed A of phase 1.
func (p *Plan) sharedFloatsA() int {
	if p.TransA {
		return up(p.M, p.geo.mr) * p.K
	}
	return p.M * rowStride(p.K)
}

// LocalFloats returns the length of each worker's scratch, which needs no contents and keeps none; best from [Alloc].
func (p *Plan) LocalFloats() int {
	n := p.localFloatsA() + p.localFloatsB()
	if p.tiled {
		n += sumFloats
	}
	return n
}

func (p *Plan) localFloatsA() int {
	if p.packA != PackLocal {
		return 0
	}
	m, k := min(p.mc, p.M), min(p.kc, p.K)
	if p.panelsA() {
		return up(up(m, p.geo.mr)*k, 16)
	}
	return m * rowStride(k)
}

func (p *Plan) localFloatsB() int {
	if p.packB != PackLocal {
		return 0
	}
	return up(min(p.nc, p.N), p.geo.nr) * min(p.kc, p.K)
}

// packUnitA is how many rows of op(A) a task of phase 1 packs at least: panels side by side come from long pieces of A's rows.
func (p *Plan) packUnitA() int {
	if p.panelsA() {
		return group * p.geo.mr
	}
	return p.geo.mr
}

// panelsA says that a packed A is panels of MR rows, not rows.
func (p *Plan) panelsA() bool { return p.TransA && !p.custom[0] }

// Tasks returns the number of tasks of phase 2.
func (p *Plan) Tasks() int { return p.rowTasks * p.colTasks }

// Block returns the rows and columns of C that a task of phase 2 computes. Tasks go down the columns of C first, with
// TransA along its rows: so that a range of tasks is a range of the weights' rows.
func (p *Plan) Block(task int) (row0, row1, col0, col1 int) {
	r, c := task%p.rowTasks, task/p.rowTasks
	if p.TransA {
		r, c = task/p.colTasks, task%p.colTasks
	}
	row0, row1 = part(p.M, p.geo.mr, p.rowTasks, r)
	col0, col1 = part(p.N, p.geo.nr, p.colTasks, c)
	return
}

// part is the i-th of n parts of size, cut at multiples of unit.
func part(size, unit, n, i int) (lo, hi int) {
	units := (size + unit - 1) / unit
	return min(size, i*units/n*unit), min(size, (i+1)*units/n*unit)
}

func up(n, unit int) int { return (n + unit - 1) / unit * unit }

// rowStride is the distance of packed rows of k floats: never near a multiple of 4 KB, where all rows would share
// a few sets of the cache.
func rowStride(k int) int { return up(k, 64) + 16 }
