package cpu

import (
	"slices"

	"aetrain/graph"
	"aetrain/program"
)

// store is what a product does to its sums on their way to memory, and the chain that is left behind it. A bias, a ReLU and a
// ReLU's mask cost nothing there, where a chain reads and writes every element once more.
type store struct {
	bias, mask []float32 // nil: none
	relu       bool
	out        []float32 // where the results go
	chain      *chain    // on the results; nil: there is none
}

// store takes the first ops of a step's chain into the store of its product, whose rows have n columns.
func (b *binder) store(s *step, n int) store {
	st := store{out: s.out[0].f32, chain: s.chain}
	if s.src.Chain == nil || s.src.Out[0] >= 0 { // somebody reads the bare product
		return st
	}
	p := peeling{b: b, chain: s.src.Chain}
	p.add(n, &st)
	p.activation(&st)
	if p.ops == 0 {
		return st
	}
	rest := p.rest()
	reads := s.src.Reads() // a state that the step reads too must not change before it has been read
	if i := slices.IndexFunc(rest.Outs, func(o program.Out) bool { return o.Slot == 0 && !slices.Contains(reads, o.Buffer) }); i >= 0 {
		st.out = b.e.mem[rest.Outs[i].Buffer].f32
		rest.Outs = slices.Delete(rest.Outs, i, i+1)
	}
	if st.chain = nil; len(rest.Ops)+len(rest.Outs)+len(rest.Sums) > 0 {
		st.chain = b.chain(rest, 1, memory{dtype: graph.Float32, size: len(st.out), f32: st.out})
	}
	return st
}

// peeling takes ops from the front of a chain.
type peeling struct {
	b     *binder
	chain *program.Chain
	ops   int // that are taken
	slot  int // of the product after them
}

// next is the op behind those that are taken, if it alone reads the product.
func (p *peeling) next() *program.ChainOp {
	c := p.chain
	if p.ops == len(c.Ops) {
		return nil
	}
	readers := 0
	for _, o := range c.Ops[p.ops:] {
		for _, in := range o.In {
			if in == p.slot {
				readers++
			}
		}
	}
	taken := slices.ContainsFunc(c.Outs, func(o program.Out) bool { return o.Slot == p.slot }) ||
		slices.ContainsFunc(c.Sums, func(t program.Total) bool { return t.Slot == p.slot })
	if o := &c.Ops[p.ops]; readers == 1 && !taken && slices.Contains(o.In, p.slot) {
		return o
	}
	return nil
}

// take notes that the next op is done by the store.
func (p *peeling) take() {
	p.slot = p.chain.Ops[p.ops].Out[0]
	p.ops++
}

// argument is the operand in a slot, if it is one from outside that is read with this period, element by element.
func (p *peeling) argument(slot, period int) []float32 {
	if slot < 1 || slot > len(p.chain.Args) {
		return nil
	}
	if a := p.chain.Args[slot-1]; a.Inner == 1 && a.Period == period {
		return p.b.e.mem[a.Buffer].f32
	}
	return nil
}

// add takes the sum of product and bias.
func (p *peeling) add(n int, st *store) {
	o := p.next()
	if o == nil || o.Node.Op.Name() != "Add" {
		return
	}
	other := o.In[0]
	if other == p.slot {
		other = o.In[1]
	}
	if bias := p.argument(other, n); bias != nil {
		st.bias = bias
		p.take()
	}
}

// activation takes a ReLU, or the mask that its gradient is.
func (p *peeling) activation(st *store) {
	o := p.next()
	if o == nil {
		return
	}
	switch o.Node.Op.Name() {
	case "ReLU":
		st.relu = true
		p.take()
	case "ReLUGrad":
		if mask := p.argument(o.In[0], p.chain.Size); mask != nil && o.In[1] == p.slot {
			st.mask = mask
			p.take()
		}
	}
}

// rest is the chain of the ops that are left, whose slot 0 is the product as the store leaves it.
func (p *peeling) rest() *program.Chain {
	c := p.chain
	rest := &program.Chain{Size: c.Size}
	to := map[int]int{p.slot: 0}
	for i, a := range c.Args {
		if slices.ContainsFunc(c.Ops[p.ops:], func(o program.ChainOp) bool { return slices.Contains(o.In, i+1) }) ||
			slices.ContainsFunc(c.Outs, func(o program.Out) bool { return o.Slot == i+1 }) {
			rest.Args = append(rest.Args, a)
			to[i+1] = len(rest.Args)
		}
	}
	next := 1 + len(rest.Args)
	renumber := func(slots []int) []int {
		list := make([]int, len(slots))
		for i, s := range slots {
			list[i] = to[s]
		}
		return list
	}
	for _, o := range c.Ops[p.ops:] {
		in := renumber(o.In)
		for _, s := range o.Out {
			to[s] = next
			next++
		}
		rest.Ops = append(rest.Ops, program.ChainOp{Node: o.Node, In: in, Out: renumber(o.Out)})
	}
	for _, o := range c.Outs {
		rest.Outs = append(rest.Outs, program.Out{Slot: to[o.Slot], Buffer: o.Buffer})
	}
	for _, t := range c.Sums {
		rest.Sums = append(rest.Sums, program.Total{Slot: to[t.Slot], Buffer: t.Buffer, Access: t.Access})
	}
	return rest
}
