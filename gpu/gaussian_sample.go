//go:build gpu

package gpu

import (
	"aetrain/graph"
	"aetrain/op"
	"aetrain/program"
)

// bindGaussianSample computes z = mu + exp(logVar/2)·eps in one launch, eps never leaving the registers. Where the program has the
// KL divergence of the same mu and logVar further on, that comes out of the same launch.
func bindGaussianSample(b *binder, s *step) error {
	rows, n := rowsOf(s.Case.Out[0].Shape)
	if err := size32(s.Op.Name(), 4*rows*blocks(n, 4)); err != nil || rows*n == 0 {
		return err
	}
	stream := s.Op.(op.GaussianSampleOp).Stream
	if kl, ok := b.takeKL(rows, n); ok {
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
func (b *binder) takeKL(rows, n int) (kl memory, ok bool) {
	if b.trial != nil {
		return kl, false
	}
	p := b.e.p
	j, ok := klBehind(p, b.at)
	if !ok {
		return kl, false
	}
	s := &p.Steps[j]
	if shape := s.Node.In[0].Shape(); shape[0] != rows || shape[1] != n {
		return kl, false
	}
	kl = b.keep(graph.Float32, rows)
	b.e.mem[s.Out[0]] = kl
	return kl, true
}

// klBehind returns the step behind step i, a GaussianSample, that computes the KL divergence of what i samples from, and nothing
// else, into a buffer that nobody has used before. What i reads keeps its numbers until then unless a step in between writes it.
func klBehind(p *program.Program, i int) (int, bool) {
	mu, logVar := p.Steps[i].In[0], p.Steps[i].In[1]
	for j := i + 1; j < len(p.Steps); j++ {
		s := &p.Steps[j]
		if s.Node != nil && s.Node.Op.Name() == "KLNormal" && s.In[0] == mu && s.In[1] == logVar {
			out := s.Out[0]
			return j, s.Chain == nil && out >= 0 && p.Buffers[out].Place == program.Arena && p.Buffers[out].First == j
		}
		if writes(s, mu) || writes(s, logVar) {
			return 0, false
		}
	}
	return 0, false
}

// writes reports whether a step writes a buffer.
func writes(s *program.Step, buffer int) bool {
	for _, out := range s.Out {
		if out == buffer {
			return true
		}
	}
	if s.Chain == nil {
		return false
	}
	for _, o := range s.Chain.Outs {
		if o.Buffer == buffer {
			return true
		}
	}
	for _, t := range s.Chain.Sums {
		if t.Buffer == buffer {
			return true
		}
	}
	return false
}
