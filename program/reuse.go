package program

import "aetrain/graph"

// reuse lets a chain write over an operand that nobody reads later, if it reads it element by element.
func reuse(u *unit) error {
	p := u.p
	liveness(p)
	to, last := make([]int, len(p.Buffers)), make([]int, len(p.Buffers))
	for i, b := range p.Buffers {
		to[i], last[i] = i, b.Last
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		s.renumber(to)
		if s.Chain == nil || s.Node != nil {
			continue
		}
		for j := range s.Chain.Outs {
			o := &s.Chain.Outs[j]
			if a := s.Chain.dying(p, i, *o, last); a >= 0 {
				last[a] = last[o.Buffer]
				to[o.Buffer] = a
				o.Buffer = a
			}
		}
	}
	for i := range p.Outputs {
		p.Outputs[i].Buffer = to[p.Outputs[i].Buffer]
	}
	liveness(p)
	return nil
}

// dying returns an operand's buffer that may become o's, or -1.
func (c *Chain) dying(p *Program, step int, o Out, last []int) int {
	if p.Buffers[o.Buffer].Place != Arena {
		return -1
	}
	for _, a := range c.Args {
		b := p.Buffers[a.Buffer]
		if b.Place == Arena && last[a.Buffer] == step && b.Size == c.Size && b.DType == p.Buffers[o.Buffer].DType &&
			b.DType == graph.Float32 && c.readByOps(a.Buffer) && !c.writes(a.Buffer) {
			return a.Buffer
		}
	}
	return -1
}

// readByOps reports whether ops alone read a buffer, element by element: outputs and sums are taken when the ops are done.
func (c *Chain) readByOps(buffer int) bool {
	for i, a := range c.Args {
		if a.Buffer != buffer {
			continue
		}
		if a.Inner != 1 || a.Period != c.Size {
			return false
		}
		for _, o := range c.Outs {
			if o.Slot == i {
				return false
			}
		}
		for _, t := range c.Sums {
			if t.Slot == i {
				return false
			}
		}
	}
	return true
}

func (c *Chain) writes(buffer int) bool {
	for _, o := range c.Outs {
		if o.Buffer == buffer {
			return true
		}
	}
	for _, t := range c.Sums {
		if t.Buffer == buffer {
			return true
		}
	}
	return false
}

func (s *Step) renumber(to []int) {
	for i, b := range s.In {
		s.In[i] = to[b]
	}
	if s.Chain != nil {
		for i := range s.Chain.Args {
			s.Chain.Args[i].Buffer = to[s.Chain.Args[i].Buffer]
		}
	}
}
