//go:build gpu

package gpu

import (
	"slices"

	"aetrain/program"
)

// A product's epilogue has no totals: the compiler leaves them to a chain of their own, since on other devices an epilogue runs
// tile by tile. Here it is a kernel over all elements anyway, so totals of what it computes (a bias' gradient) join it.

// joinTotals moves chains that follow step i, which has an epilogue, into the epilogue: those that store nothing and add up what
// it stores. It returns how many steps that were.
func (b *binder) joinTotals(i int, s *step) int {
	if s.epilogue == nil {
		return 0
	}
	steps := b.e.p.Steps
	n := 0
	for j := i + 1; j < len(steps) && steps[j].Node == nil; j++ {
		if !b.joins(s.epilogue, &steps[j]) || b.touch(steps[i].Writes(), steps[j].Writes()) {
			break
		}
		s.epilogue = mergeChains(s.epilogue, steps[j].Chain)
		n++
	}
	return n
}

// joins reports whether t only adds up, among others what c stores, and whether its totals lie where c neither reads nor writes.
func (b *binder) joins(c *program.Chain, t *program.Step) bool {
	if len(t.Chain.Outs) > 0 || t.Chain.Size != c.Size || c.Size == 0 {
		return false
	}
	reads := false
	for _, a := range t.Chain.Args {
		if storedAt(c, a.Buffer) < 0 {
			continue
		}
		if a.Inner != 1 || a.Period != c.Size {
			return false
		}
		reads = true
	}
	own := &program.Step{Chain: c}
	return reads && !b.touch(own.Reads(), t.Writes()) && !b.touch(own.Writes(), t.Writes()) && !b.touchOthers(c, t)
}

// touchOthers reports whether t reads memory that c writes otherwise than as the very buffer.
func (b *binder) touchOthers(c *program.Chain, t *program.Step) bool {
	for _, a := range t.Chain.Args {
		if storedAt(c, a.Buffer) < 0 && b.touch([]int{a.Buffer}, (&program.Step{Chain: c}).Writes()) {
			return true
		}
	}
	return false
}

// storedAt is the slot that c stores to a buffer, -1 if it stores none there.
func storedAt(c *program.Chain, buffer int) int {
	for _, o := range c.Outs {
		if o.Buffer == buffer {
			return o.Slot
		}
	}
	return -1
}

// mergeChains appends the ops and totals of t to c, an epilogue. What t reads of c's outputs it reads from their slots.
func mergeChains(c, t *program.Chain) *program.Chain {
	m := &program.Chain{Size: c.Size, Args: slices.Clone(c.Args), Outs: c.Outs, Sums: slices.Clone(c.Sums)}
	for _, a := range t.Args {
		if storedAt(c, a.Buffer) < 0 {
			m.Args = append(m.Args, a)
		}
	}
	more := len(m.Args) - len(c.Args)
	moved := func(s int) int { // c's slot in m: its operands stay, what ops compute moves behind the new operands
		if s > len(c.Args) {
			return s + more
		}
		return s
	}
	m.Outs = slices.Clone(c.Outs)
	for i := range m.Outs {
		m.Outs[i].Slot = moved(m.Outs[i].Slot)
	}
	for i := range m.Sums {
		m.Sums[i].Slot = moved(m.Sums[i].Slot)
	}
	next := 1 + len(m.Args)
	add := func(o program.ChainOp, to func(int) int) {
		d := program.ChainOp{Node: o.Node}
		for _, s := range o.In {
			d.In = append(d.In, to(s))
		}
		for range o.Out {
			d.Out = append(d.Out, next)
			next++
		}
		m.Ops = append(m.Ops, d)
	}
	for _, o := range c.Ops {
		add(o, moved)
	}
	slots, arg := map[int]int{}, 1+len(c.Args) // t's slots in m
	for i, a := range t.Args {
		if s := storedAt(c, a.Buffer); s >= 0 {
			slots[i] = moved(s)
		} else {
			slots[i] = arg
			arg++
		}
	}
	for _, o := range t.Ops {
		first := next
		add(o, func(s int) int { return slots[s] })
		for i, s := range o.Out {
			slots[s] = first + i
		}
	}
	for _, total := range t.Sums {
		total.Slot = slots[total.Slot]
		m.Sums = append(m.Sums, total)
	}
	return m
}
