package cpu

// bindKLNormal sums (exp(logVar) - 1 - logVar + mu²)/2 over each row; expm1 keeps what is left of exp(logVar) - 1 near 0.
// A task computes the summands of many rows at once, because rows are short.
func bindKLNormal(b *binder, s *step) error {
	n, mu, logVar, kl, v := s.Case.In[0].Shape[1], s.in[0].f32, s.in[1].f32, s.out[0].f32, b.b.vec
	if n == 0 {
		b.phase(1, func(*worker, int) { clear(kl) })
		return nil
	}
	rows := max(1, blockSize/n)
	b.scratch(rows * n)
	b.items(len(kl), 4*n, func(w *worker, from, to int) {
		for r := from; r < to; r += rows {
			end := min(to, r+rows)
			t, m, l := w.local[:(end-r)*n], mu[r*n:end*n], logVar[r*n:end*n]
			v.Expm1(t, l)
			v.Sub(t, t, l)
			v.MulAdd(t, m, m, t)
			for i := range end - r {
				kl[r+i] = v.Sum(t[i*n:(i+1)*n]) / 2
			}
		}
	}).separate()
	return nil
}
