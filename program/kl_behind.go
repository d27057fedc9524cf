package program

import "slices"

// KLBehind returns the step behind step i, a GaussianSample, that computes the KL divergence of what i samples from, row by row as i
// has them, and nothing else, into a buffer that nobody has used before: a kernel of step i can compute it in the same pass, if it
// gives the buffer memory of its own. What i reads keeps its numbers until then unless a step in between writes it. Of several samples
// of one distribution the last one before the divergence has it.
func (p *Program) KLBehind(i int) (int, bool) {
	sample := &p.Steps[i]
	mu, logVar := sample.In[0], sample.In[1]
	for j := i + 1; j < len(p.Steps); j++ {
		s := &p.Steps[j]
		switch reads := s.Node != nil && len(s.In) > 1 && s.In[0] == mu && s.In[1] == logVar; {
		case reads && s.Node.Op.Name() == "KLNormal":
			out, rows := s.Out[0], sample.Node.Out[0].Shape
			return j, s.Chain == nil && out >= 0 && p.Buffers[out].Place == Arena && p.Buffers[out].First == j &&
				len(rows) > 0 && rows[0] == s.Node.In[0].Shape()[0]
		case reads && s.Node.Op.Name() == "GaussianSample":
			return 0, false
		}
		if written := s.Writes(); slices.Contains(written, mu) || slices.Contains(written, logVar) {
			return 0, false
		}
	}
	return 0, false
}
