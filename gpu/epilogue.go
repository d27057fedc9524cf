//go:build gpu

package gpu

import (
	"slices"

	"aetrain/graph"
	"aetrain/program"
)

// A product's epilogue often begins with a bias, or with a bias and a ReLU. Kernels of products that add them while they store
// take these off the chain, and the rest, if anything is left, runs as a chain of its own.

// takeBias takes a leading bias with the access a, and if relu allows it a ReLU behind it, off the step's epilogue. What is left
// works on output 0 as the kernel then writes it; it becomes nil where that is all. ok is false where there is no bias to take.
func (b *binder) takeBias(s *step, a program.Access, relu bool) (bias memory, withReLU, ok bool) {
	if s.epilogue == nil {
		return bias, false, false
	}
	buffer, withReLU, rest, ok := splitBias(s.epilogue, a, relu)
	if !ok || b.e.p.Buffers[buffer].DType != graph.Float32 {
		return bias, false, false
	}
	// An output that the kernel itself writes is no copy.
	rest.Outs = slices.DeleteFunc(rest.Outs, func(o program.Out) bool { return o.Slot == 0 && b.e.mem[o.Buffer].same(s.out[0]) })
	s.epilogue = rest
	if len(rest.Outs)+len(rest.Sums) == 0 {
		s.epilogue = nil
	}
	return b.e.mem[buffer], withReLU, true
}

// splitBias finds the bias of c, an epilogue: Add of slot 0 and an operand read as a says, where nothing else reads slot 0; and
// the ReLU that alone reads the sum. rest is c without them: its slot 0 is what they make.
func splitBias(c *program.Chain, a program.Access, relu bool) (buffer int, withReLU bool, rest *program.Chain, ok bool) {
	if len(c.Ops) == 0 || slotReaders(c, 0) != 1 {
		return 0, false, nil, false
	}
	first := slices.IndexFunc(c.Ops, func(o program.ChainOp) bool { return slices.Contains(o.In, 0) })
	if first < 0 || c.Ops[first].Node.Op.Name() != "Add" {
		return 0, false, nil, false
	}
	add := c.Ops[first]
	arg := add.In[0] + add.In[1] - 1 // one of them is slot 0
	if arg < 0 || arg >= len(c.Args) || c.Args[arg].Access != a {
		return 0, false, nil, false
	}
	gone, result := map[int]bool{first: true}, add.Out[0]
	if relu && slotReaders(c, result) == 1 {
		i := slices.IndexFunc(c.Ops, func(o program.ChainOp) bool { return slices.Contains(o.In, result) })
		if i >= 0 && c.Ops[i].Node.Op.Name() == "ReLU" {
			gone[i], result, withReLU = true, c.Ops[i].Out[0], true
		}
	}
	return c.Args[arg].Buffer, withReLU, without(c, gone, result), true
}

// slotReaders counts who reads a slot: operands of ops, outputs and totals.
func slotReaders(c *program.Chain, slot int) (n int) {
	for _, o := range c.Ops {
		for _, in := range o.In {
			if in == slot {
				n++
			}
		}
	}
	for _, o := range c.Outs {
		if o.Slot == slot {
			n++
		}
	}
	for _, t := range c.Sums {
		if t.Slot == slot {
			n++
		}
	}
	return n
}

// without is the epilogue c without some of its ops and the operands that they alone read. Slot result becomes slot 0; the others
// are numbered anew, in their order.
func without(c *program.Chain, gone map[int]bool, result int) *program.Chain {
	rest := &program.Chain{Size: c.Size}
	to := map[int]int{result: 0}
	kept := program.Chain{Outs: c.Outs, Sums: c.Sums}
	for i, o := range c.Ops {
		if !gone[i] {
			kept.Ops = append(kept.Ops, o)
		}
	}
	next := 1
	for i, a := range c.Args {
		if slotReaders(&kept, 1+i) > 0 {
			to[1+i] = next
			next++
			rest.Args = append(rest.Args, a)
		}
	}
	renumber := func(slots []int) []int {
		list := make([]int, len(slots))
		for i, s := range slots {
			list[i] = to[s]
		}
		return list
	}
	for _, o := range kept.Ops {
		for _, s := range o.Out {
			to[s] = next
			next++
		}
		rest.Ops = append(rest.Ops, program.ChainOp{Node: o.Node, In: renumber(o.In), Out: renumber(o.Out)})
	}
	for _, o := range c.Outs {
		rest.Outs = append(rest.Outs, program.Out{Slot: to[o.Slot], Buffer: o.Buffer})
	}
	for _, t := range c.Sums {
		t.Slot = to[t.Slot]
		rest.Sums = append(rest.Sums, t)
	}
	return rest
}
