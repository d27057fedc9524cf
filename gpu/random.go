//go:build gpu

package gpu

import (
	"aetrain/graph"
	"aetrain/op"
)

// Random numbers are drawn in rows of the first axis, four elements a thread; see op.RNG and kernels/cuda/philox.cuh.

func bindUniform(b *binder, s *step) error {
	return bindDraw(b, "draw_uniform", s, 0, s.Op.(op.UniformOp).Stream)
}

func bindNormal(b *binder, s *step) error {
	return bindDraw(b, "draw_normal", s, 0, s.Op.(op.NormalOp).Stream)
}

func bindBernoulli(b *binder, s *step) error {
	o := s.Op.(op.BernoulliOp)
	return bindDraw(b, "draw_bernoulli", s, 0, o.Stream, float32(o.P))
}

func bindBernoulliP(b *binder, s *step) error {
	return bindDraw(b, "draw_bernoulli_p", s, 1, s.Op.(op.BernoulliPOp).Stream, s.in[0])
}

// drawThreads is the block of kernels that draw four elements a thread.
const drawThreads = 128

// bindDraw fills output 0; the inputs from index at on are seed, step and row0, more are the kernel's last arguments.
func bindDraw(b *binder, kernel string, s *step, at int, stream uint32, more ...any) error {
	rows, n := rowsOf(s.Case.Out[0].Shape)
	if err := size32(s.Op.Name(), 4*rows*blocks(n, 4)); err != nil || rows*n == 0 {
		return err
	}
	perRow := blocks(n, 4)
	count := rows * perRow
	listed := 0 // 1: row0 has a counter for each row
	if len(s.Case.In[at+2].Shape) > 0 {
		listed = 1
	}
	args := []any{s.out[0], count, n, divisor(perRow), s.in[at], s.in[at+1], s.in[at+2], listed, stream}
	b.kernel(kernel, line(blocks(count, drawThreads)), line(drawThreads), 0, append(args, more...)...)
	return nil
}

// rowsOf splits a shape into its first axis and the rest; a scalar is one row.
func rowsOf(s graph.Shape) (rows, n int) {
	if len(s) == 0 {
		return 1, 1
	}
	return s[0], s[1:].Size()
}
