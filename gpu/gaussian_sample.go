//go:build gpu

package gpu

import (
	"aetrain/graph"
	"aetrain/op"
)

// bindGaussianSample computes z = mu + exp(logVar/2)·eps in one launch, eps never leaving the registers. Where the program has the
// KL divergence of the same mu and logVar further on, that comes out of the same launch.
func bindGaussianSample(b *binder, s *step) error {
	rows, n := rowsOf(s.Case.Out[0].Shape)
	if err := size32(s.Op.Name(), 4*rows*blocks(n, 4)); err != nil || rows*n == 0 {
		return err
	}
	stream := s.Op.(op.GaussianSampleOp).Stream
	if kl, ok := b.takeKL(rows); ok {
		g := groupOf(rows, blocks(n, 4))
		b.kernel("gaussian_sample_kl", g.grid(rows), line(g.block), 0,
			s.in[0], s.in[1], s.out[0], kl, rows, n, g.shift, s.in[2], s.in[3], s.in[4], stream)
		return nil
	}
	perRow := blocks(n, 4)
	count := rows * perRow
	b.kernel("gaussian_sample", line(blocks(count, drawThreads)), line(drawThreads), 0,
		s.in[0], s.in[1], s.out[0], count, n, divisor(perRow), s.in[2], s.in[3], s.in[4], stream)
	return nil
}

// bindGaussianSampleSplit is the same in two launches: all numbers first, then the arithmetic on them.
func bindGaussianSampleSplit(b *binder, s *step) error {
	if err := bindDraw(b, "draw_normal", s, 2, s.Op.(op.GaussianSampleOp).Stream); err != nil {
		return err
	}
	const block = 256
	n := s.out[0].size
	b.kernel("gaussian_sample_scale", line(blocks(n, block)), line(block), 0, s.in[0], s.in[1], s.out[0], n)
	return nil
}

// takeKL finds the KLNormal behind the step that is being bound which reads the same mu and logVar, and gives its output memory
// of the program's own, as it is written now and not in its turn, when the arena has room for it. bindKLNormal sees that and does nothing.
func (b *binder) takeKL(rows int) (kl memory, ok bool) {
	if b.trial != nil {
		return kl, false
	}
	j, ok := b.e.p.KLBehind(b.at)
	if !ok {
		return kl, false
	}
	kl = b.keep(graph.Float32, rows)
	b.e.mem[b.e.p.Steps[j].Out[0]] = kl
	return kl, true
}
