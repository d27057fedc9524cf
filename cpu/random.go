package cpu

import (
	"aetrain/cpu/vec"
	"aetrain/graph"
	"aetrain/op"
)

// bindUniform, bindNormal and bindBernoulli draw a value whose rows are its first axis; see op.RNG.

func bindUniform(b *binder, s *step) error {
	return bindDraw(b, s, s.Op.(op.UniformOp).Stream, 0, b.b.vec.Uniforms, nil)
}

func bindNormal(b *binder, s *step) error {
	return bindDraw(b, s, s.Op.(op.NormalOp).Stream, 0, b.b.vec.Normals, nil)
}

func bindBernoulli(b *binder, s *step) error {
	o := s.Op.(op.BernoulliOp)
	p := float32(o.P)
	return bindDraw(b, s, o.Stream, 0, b.b.vec.Uniforms, func(x []float32) { b.b.vec.LessS(x, x, p) })
}

func bindBernoulliP(b *binder, s *step) error {
	p := s.in[0].f32
	return bindDraw(b, s, s.Op.(op.BernoulliPOp).Stream, 1, b.b.vec.Uniforms, func(x []float32) { b.b.vec.LessS(x, x, p[0]) })
}

// bindDraw fills rows by kernel; the inputs from index at on are seed, step and row0. after, if any, changes a finished row.
func bindDraw(b *binder, s *step, stream uint32, at int, kernel vec.Random, after func(row []float32)) error {
	rows, rowLen := rowsOf(s.Case.Out[0].Shape)
	draw := newDrawer(s, stream, at, kernel)
	dst := s.out[0].f32
	per := max(1, 4*blockSize/max(1, rowLen))
	b.phase((rows+per-1)/per, func(_ *worker, task int) {
		for r := task * per; r < min(rows, (task+1)*per); r++ {
			row := dst[r*rowLen : (r+1)*rowLen]
			draw.fill(row, r)
			if after != nil {
				after(row)
			}
		}
	})
	return nil
}

// drawer knows where a draw's counters come from.
type drawer struct {
	seed, step, row0 []int32
	listed           bool // row0 has a counter for each row
	stream           uint32
	kernel           vec.Random
}

// newDrawer draws by kernel; the inputs of s from index at on are seed, step and row0.
func newDrawer(s *step, stream uint32, at int, kernel vec.Random) drawer {
	return drawer{
		seed: s.in[at].i32, step: s.in[at+1].i32, row0: s.in[at+2].i32, listed: len(s.Case.In[at+2].Shape) > 0, stream: stream, kernel: kernel,
	}
}

// fill draws row r.
func (d *drawer) fill(dst []float32, r int) {
	seed := uint64(uint32(d.seed[0])) | uint64(uint32(d.seed[1]))<<32
	row := uint32(d.row0[0]) + uint32(r)
	if d.listed {
		row = uint32(d.row0[r])
	}
	d.kernel(dst, seed, 0, row, uint32(d.step[0]), d.stream)
}

// rowsOf splits a shape into its first axis and the rest; a scalar is one row.
func rowsOf(s graph.Shape) (rows, rowLen int) {
	if len(s) == 0 {
		return 1, 1
	}
	return s[0], s[1:].Size()
}
