package program

import (
	"fmt"
	"sort"
)

// Reads lists the buffers that s reads, Writes those that it writes.
func (s Step) Reads() []int {
	bs := append([]int(nil), s.In...)
	if s.Chain != nil {
		for _, a := range s.Chain.Args {
			bs = append(bs, a.Buffer)
		}
	}
	return bs
}

// Writes lists the buffers that s writes.
func (s Step) Writes() []int {
	var bs []int
	for _, b := range s.Out {
		if b >= 0 {
			bs = append(bs, b)
		}
	}
	if s.Chain != nil {
		for _, o := range s.Chain.Outs {
			bs = append(bs, o.Buffer)
		}
		for _, t := range s.Chain.Sums {
			bs = append(bs, t.Buffer)
		}
	}
	return bs
}

// reuseInPlace lets a chain write over an operand that nobody reads later, if it reads it element by element.
func reuseInPlace(p *Program) {
	liveness(p)
	to := make([]int, len(p.Buffers))
	for i := range to {
		to[i] = i
	}
	last := make([]int, len(p.Buffers))
	for i, b := range p.Buffers {
		last[i] = b.Last
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		renumber(s, to)
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
}

// dying returns an operand's buffer that may become o's, or -1.
func (c *Chain) dying(p *Program, step int, o Out, last []int) int {
	if p.Buffers[o.Buffer].Place != Arena {
		return -1
	}
	for _, a := range c.Args {
		b := p.Buffers[a.Buffer]
		if b.Place == Arena && last[a.Buffer] == step && b.Size == c.Size && b.DType == p.Buffers[o.Buffer].DType &&
			c.readsDense(a.Buffer) && !c.writes(a.Buffer) {
			return a.Buffer
		}
	}
	return -1
}

func (c *Chain) readsDense(buffer int) bool {
	for _, a := range c.Args {
		if a.Buffer == buffer && (a.Inner != 1 || a.Period != c.Size) {
			return false
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
	return false
}

func renumber(s *Step, to []int) {
	for i, b := range s.In {
		s.In[i] = to[b]
	}
	if s.Chain != nil {
		for i := range s.Chain.Args {
			s.Chain.Args[i].Buffer = to[s.Chain.Args[i].Buffer]
		}
	}
}

// liveness sets First and Last of every buffer. What Fetch reads lives to the end.
func liveness(p *Program) {
	for i := range p.Buffers {
		p.Buffers[i].First, p.Buffers[i].Last = -1, -1
	}
	touch := func(step, b int) {
		if p.Buffers[b].First < 0 {
			p.Buffers[b].First = step
		}
		p.Buffers[b].Last = step
	}
	for i, s := range p.Steps {
		for _, b := range s.Reads() {
			touch(i, b)
		}
		for _, b := range s.Writes() {
			touch(i, b)
		}
	}
	for _, o := range p.Outputs {
		touch(len(p.Steps), o.Buffer)
	}
}

// place puts the arena's buffers at offsets such that buffers alive at the same time never overlap: largest first,
// each into the smallest gap that holds it.
// Source: Pisarchyk & Lee 2020, "Efficient Memory Management for Deep Neural Net Inference", greedy by size.
func place(p *Program, align int) {
	if align < 64 {
		align = 64
	}
	var order []int
	for i, b := range p.Buffers {
		if b.Place == Arena && b.First >= 0 {
			order = append(order, i)
		}
	}
	sort.SliceStable(order, func(i, j int) bool { return p.Buffers[order[i]].Bytes() > p.Buffers[order[j]].Bytes() })
	var placed []int // by offset
	for _, i := range order {
		b := &p.Buffers[i]
		b.Offset = gap(p, placed, *b, align)
		p.ArenaBytes = max(p.ArenaBytes, (b.Offset+b.Bytes()+align-1)/align*align)
		at := sort.Search(len(placed), func(k int) bool { return p.Buffers[placed[k]].Offset > b.Offset })
		placed = append(placed[:at], append([]int{i}, placed[at:]...)...)
	}
}

// gap finds the smallest hole for b among placed buffers that are alive with it.
func gap(p *Program, placed []int, b Buffer, align int) int {
	best, bestSize, end := -1, 0, 0
	for _, k := range placed {
		o := p.Buffers[k]
		if o.Last < b.First || b.Last < o.First {
			continue
		}
		if hole := o.Offset - end; hole >= b.Bytes() && (best < 0 || hole < bestSize) {
			best, bestSize = end, hole
		}
		end = max(end, (o.Offset+o.Bytes()+align-1)/align*align)
	}
	if best >= 0 {
		return best
	}
	return end
}

// Verify checks what every backend relies on: buffers are written before they are read, live ones never overlap,
// and slots are defined before they are used.
func Verify(p *Program) error {
	written := make([]bool, len(p.Buffers))
	for i, b := range p.Buffers {
		written[i] = b.Place != Arena
	}
	for i, s := range p.Steps {
		for _, b := range s.Reads() {
			if !written[b] {
				return fmt.Errorf("program: step %d (%s) reads buffer %d before it is written", i, s.Kind(), b)
			}
		}
		if err := s.verifySlots(); err != nil {
			return fmt.Errorf("program: step %d (%s): %w", i, s.Kind(), err)
		}
		for _, b := range s.Writes() {
			if p.Buffers[b].Place == Constant || p.Buffers[b].Place == Input {
				return fmt.Errorf("program: step %d (%s) writes buffer %d, which is read-only", i, s.Kind(), b)
			}
			written[b] = true
		}
	}
	for _, o := range p.Outputs {
		if !written[o.Buffer] {
			return fmt.Errorf("program: output %s is never written", o.Name)
		}
	}
	return verifyPlan(p)
}

func (s Step) verifySlots() error {
	if s.Chain == nil {
		return nil
	}
	defined := len(s.Chain.Args)
	if s.Node != nil {
		defined++
	}
	for _, o := range s.Chain.Ops {
		for _, in := range o.In {
			if in < 0 || in >= defined {
				return fmt.Errorf("%s reads slot %d of %d", o.Node.Op.Name(), in, defined)
			}
		}
		defined += len(o.Out)
	}
	for _, o := range s.Chain.Outs {
		if o.Slot >= defined {
			return fmt.Errorf("slot %d is never computed", o.Slot)
		}
	}
	for _, t := range s.Chain.Sums {
		if t.Slot >= defined {
			return fmt.Errorf("slot %d is never computed", t.Slot)
		}
	}
	return nil
}

func verifyPlan(p *Program) error {
	for i, a := range p.Buffers {
		if a.Place != Arena || a.First < 0 {
			continue
		}
		if a.Offset+a.Bytes() > p.ArenaBytes {
			return fmt.Errorf("program: buffer %d ends behind the arena", i)
		}
		for j := range i {
			b := p.Buffers[j]
			if b.Place == Arena && b.First >= 0 && a.First <= b.Last && b.First <= a.Last &&
				a.Offset < b.Offset+b.Bytes() && b.Offset < a.Offset+a.Bytes() {
				return fmt.Errorf("program: buffers %d and %d overlap", i, j)
			}
		}
	}
	return nil
}
