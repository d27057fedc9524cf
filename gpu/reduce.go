//go:build gpu

package gpu

import (
	"math"
	"slices"

	"aetrain/graph"
	"aetrain/op"
)

func bindReduceSum(b *binder, s *step) error {
	return bindReduce(b, s, s.Op.(op.Reduce).Axes, "reduce_sum", 0)
}

func bindReduceMax(b *binder, s *step) error {
	return bindReduce(b, s, s.Op.(op.ReduceMaxOp).Axes, "reduce_max", math.Float32bits(float32(math.Inf(-1))))
}

func bindReduceMin(b *binder, s *step) error {
	return bindReduce(b, s, s.Op.(op.ReduceMinOp).Axes, "reduce_min", math.Float32bits(float32(math.Inf(1))))
}

// bindLogSumExp folds by log-sum-exp: that of parts that are log-sum-exps is that of the whole.
func bindLogSumExp(b *binder, s *step) error {
	return bindReduce(b, s, []int{s.Op.(op.LogSumExpOp).Axis}, "logsumexp", math.Float32bits(float32(math.Inf(-1))))
}

// bindReduce folds over axes by the kernels NAME_runs, NAME_columns and NAME_serial (kernels/cuda/reduce.cu). Axes of one kind that
// are neighbours are joined; what is then no shape of these kernels is folded in several passes, the last axes first.
// How a fold is shared out depends on shapes alone.
func bindReduce(b *binder, s *step, axes []int, name string, start uint32) error {
	x, y := s.in[0], s.out[0]
	if err := size32(s.Op.Name(), x.size); err != nil {
		return err
	}
	if y.size == 0 {
		return nil
	}
	if x.size == 0 {
		b.fill(y, start)
		return nil
	}
	f := folder{b, name}
	dims := alternate(s.Case.In[0].Shape, axes)
	for {
		pass, rest := nextPass(dims)
		dst := y
		if !folded(rest) {
			dst = b.scratch(graph.Float32, sizeOf(rest))
		}
		f.run(pass, dst, x)
		if dst.same(y) {
			return nil
		}
		x, dims = dst, rest
	}
}

// dim is a run of neighbouring axes of one kind.
type dim struct {
	n       int
	reduced bool
}

func sizeOf(dims []dim) int {
	n := 1
	for _, d := range dims {
		n *= d.n
	}
	return n
}

// alternate joins axes; axes of one element vanish.
func alternate(shape graph.Shape, axes []int) []dim {
	var dims []dim
	for i, n := range shape {
		if n != 1 {
			dims = join(dims, dim{n, slices.Contains(axes, i)})
		}
	}
	return dims
}

func join(dims []dim, d dim) []dim {
	if n := len(dims); n > 0 && dims[n-1].reduced == d.reduced {
		dims[n-1].n *= d.n
		return dims
	}
	return append(dims, d)
}

// folded reports whether nothing is left to fold.
func folded(dims []dim) bool {
	return !slices.ContainsFunc(dims, func(d dim) bool { return d.reduced })
}

// pass is a fold that one of the kernels does: of the runs planes x kept x inner over planes and inner, or, where columns are
// meant, of planes x rows x kept over rows.
type pass struct {
	columns                   bool
	planes, kept, inner, rows int
}

// shortRun is how many neighbouring elements are worth the leap from plane to plane.
const shortRun = 8

// nextPass returns the fold of the last reduced axes, and of the first ones, too, where one kernel does both, and what is left.
func nextPass(dims []dim) (pass, []dim) {
	i := len(dims) - 1
	for i >= 0 && !dims[i].reduced {
		i--
	}
	if i < 0 { // nothing to fold: elements are their own sums
		return pass{planes: 1, kept: sizeOf(dims), inner: 1}, dims
	}
	before, n, behind := dims[:i], dims[i].n, dims[i+1:]
	if len(behind) == 0 {
		if len(before) == 2 && n >= shortRun {
			return pass{planes: before[0].n, kept: before[1].n, inner: n}, before[1:]
		}
		return pass{planes: 1, kept: sizeOf(before), inner: n}, before
	}
	rest := slices.Clone(before)
	for _, d := range behind {
		rest = join(rest, d)
	}
	return pass{columns: true, planes: sizeOf(before), rows: n, kept: sizeOf(behind)}, rest
}

// folder launches the kernels of one kind of fold.
type folder struct {
	b    *binder
	name string
}

func (f folder) run(p pass, y, x memory) {
	if p.columns {
		f.columns(y, x, p.planes, p.rows, p.kept)
		return
	}
	f.runs(y, x, p.planes, p.kept, p.inner)
}

// wantedBlocks is about how many blocks fill a large device; partElements is how much a part of a long fold has at least.
const (
	wantedBlocks = 512
	partElements = 4096
)

// runs folds planes x kept x inner over planes and inner; few long ones in parts.
func (f folder) runs(y, x memory, planes, kept, inner int) {
	total, parts := planes*inner, 1
	if kept < wantedBlocks/2 {
		parts = max(1, min(wantedBlocks/kept, total/partElements))
	}
	per := blocks(blocks(total, parts), 4) * 4
	parts = blocks(total, per)
	g := groupOf(kept*parts, unitsOf(inner)*min(per, total)/inner)
	dst := y
	if parts > 1 {
		dst = f.b.scratch(graph.Float32, kept*parts)
	}
	f.b.kernel(f.name+"_runs", g.grid(kept*parts), line(g.block), 0, x, dst, planes, kept, divisor(inner), parts, per, g.shift)
	if parts > 1 {
		f.runs(y, dst, 1, kept, parts)
	}
}

// columns folds outer x rows x columns over rows: a thread a result where rows are few or results many, else blocks that own
// neighbouring columns, and share out the rows where they would be too few.
func (f folder) columns(y, x memory, outer, rows, columns int) {
	const block, few, many = 128, 32, 1 << 16
	results := outer * columns
	if rows <= few || rows <= 1024 && results >= many {
		f.b.kernel(f.name+"_serial", line(blocks(results, block)), line(block), 0, x, y, results, rows, divisor(columns))
		return
	}
	f.tiles(y, x, outer, columns, tilesOf(outer, rows, columns))
}

// tiles launches blocks, and once more for parts of columns.
func (f folder) tiles(y, x memory, outer, columns int, t tiles) {
	dst := y
	if t.parts > 1 {
		dst = f.b.scratch(graph.Float32, outer*t.parts*columns)
	}
	f.b.kernel(f.name+"_columns", line(outer*t.parts*t.tiles), line(t.block), 0, x, dst, t.rows, columns, t.parts, t.per, t.shift)
	if t.parts > 1 {
		f.tiles(y, dst, outer, columns, blockOf(t.parts, columns))
	}
}

// tiles is how columns are shared out: tiles of 2^shift neighbouring ones, `per` rows to each of `parts` blocks of `block` threads.
type tiles struct{ rows, shift, block, tiles, parts, per int }

func tilesOf(outer, rows, columns int) tiles {
	const eachThread = 8 // rows at least, before rows are shared out
	t := blockOf(rows, columns)
	together := t.block >> t.shift
	t.parts = max(1, min(wantedBlocks/(outer*t.tiles), rows/(eachThread*together)))
	t.per = blocks(rows, t.parts)
	t.parts = blocks(rows, t.per)
	return t
}

// blockOf gives all rows to one block.
func blockOf(rows, columns int) tiles {
	t := tiles{rows: rows, shift: min(5, log2(columns)), parts: 1, per: rows}
	t.block = 1 << max(5, min(9, t.shift+log2(blocks(rows, 4))))
	t.tiles = blocks(columns, 1<<t.shift)
	return t
}
