package program

import "slices"

// KLBehind returns the step behind step i, a GaussianSample, that computes the KL divergence of what i samples from, and nothing
// else, into a buffer that nobody has used before: a kernel of step i can compute it in the same pass, if it gives the buffer memory of
// its own. What i reads keeps its numbers until then unless a step in between writes it.
func (p *Program) KLBehind(i int) (int, bool) {
	mu, logVar := p.Steps[i].In[0], p.Steps[i].In[1]
	for j := i + 1; j < len(p.Steps); j++ {
		s := &p.Steps[j]
		if s.Node != nil && s.Node.Op.Name() == "KLNormal" && s.In[0] == mu && s.In[1] == logVar {
			out := s.Out[0]
			return j, s.Chain == nil && out >= 0 && p.Buffers[out].Place == Arena && p.Buffers[out].First == j
		}
		if written := s.Writes(); slices.Contains(written, mu) || slices.Contains(written, logVar) {
			return 0, false
		}
	}
	return 0, false
}
