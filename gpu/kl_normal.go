//go:build gpu

package gpu

import "aetrain/program"

// bindKLNormal sums (exp(logVar) - 1 - logVar + mu²)/2 over each row, unless the sample of the same distribution has done so.
func bindKLNormal(b *binder, s *step) error {
	if b.klTaken(s) {
		return nil
	}
	shape := s.Case.In[0].Shape
	rows, n := shape[0], shape[1]
	if err := size32("KLNormal", rows*n); err != nil {
		return err
	}
	g := groupOf(rows, blocks(n, 4))
	b.kernel("kl_normal", g.grid(rows), line(g.block), 0, s.in[0], s.in[1], s.out[0], rows, n, g.shift)
	return nil
}

// klTaken reports whether [binder.takeKL] moved the output out of the arena.
func (b *binder) klTaken(s *step) bool {
	out := b.e.p.Steps[b.at].Out[0]
	return out >= 0 && b.e.p.Buffers[out].Place == program.Arena && s.out[0].block == b.e.owned.own
}
