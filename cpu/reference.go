package cpu

import "aetrain/graph"

// bindReference computes a step by Op.Eval. It allocates and is slow; Explain names it.
func bindReference(b *binder, s *step) {
	in, out := make([]graph.Tensor, len(s.in)), make([]graph.Tensor, len(s.out))
	for i := range in {
		in[i] = graph.NewTensor(s.Case.In[i])
	}
	for i := range out {
		out[i] = graph.NewTensor(s.Case.Out[i])
	}
	b.phase(1, func(w *worker, _ int) {
		for i, m := range s.in {
			for j := range in[i].Data {
				in[i].Data[j] = m.at(j)
			}
		}
		for i := range out {
			clear(out[i].Data)
		}
		s.Op.Eval(out, in)
		for i, m := range s.out {
			for j := range m.size {
				m.set(j, out[i].Data[j])
			}
		}
		if s.chain != nil {
			s.chain.run(w, 0, s.out[0].size)
		}
	})
}
