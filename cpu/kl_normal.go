package cpu

import "aetrain/cpu/vec"

// bindKLNormal sums (exp(logVar) - 1 - logVar + mu²)/2 over each row, where no sample of the same distribution has done so
// ([bindGaussianSample]). A task computes the summands of many rows at once, because rows are short.
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
			klRows(v, kl[r:end], w.local[:(end-r)*n], mu[r*n:end*n], logVar[r*n:end*n])
		}
	}).separate()
	return nil
}

// klRows writes the divergence of each row, t being as large as mu and logVar; expm1 keeps what is left of exp(logVar) - 1 near 0.
func klRows(v *vec.Kernels, kl, t, mu, logVar []float32) {
	v.Expm1(t, logVar)
	v.Sub(t, t, logVar)
	v.MulAdd(t, mu, mu, t)
	n := len(t) / len(kl)
	for i := range kl {
		kl[i] = v.Sum(t[i*n:(i+1)*n]) / 2
	}
}
