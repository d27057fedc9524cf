package program

import "aetrain/graph"

// assignments lets steps write states directly where nobody reads the old value later, and returns the others.
func (l *lowering) assignments() (copies []named) {
	for _, a := range l.m.assigns {
		leaf := l.m.g.Lookup(a.name).Leaf
		v := look(a.value)
		if v == leaf {
			continue // assigned to itself
		}
		// A value that two states are assigned lies in the first and is copied to the second.
		_, bound := l.buffer[v]
		at := l.of[v.Node.ID]
		last, read := l.readers[leaf]
		if bound || at < 0 || read && (last > at || last == at && !l.overwrites(l.order[at], leaf, v)) {
			copies = append(copies, a)
			continue
		}
		l.buffer[v] = l.buffer[leaf]
	}
	return copies
}

// overwrites reports whether group g, which reads leaf, may write v over it while it runs: v is an output of its chain, and ops of
// the chain alone read leaf. They do so element by element, since leaf has as many elements as the chain walks over.
func (l *lowering) overwrites(g *group, leaf, v graph.Value) bool {
	if v.Shape().Size() != g.size || v.Node == g.root {
		return false
	}
	reads := func(n *graph.Node) bool {
		for _, in := range n.In {
			if src, _ := l.source(in); src == leaf {
				return true
			}
		}
		return false
	}
	if g.root != nil && reads(g.root) {
		return false
	}
	for _, n := range g.sums {
		if n == v.Node || reads(n) { // sums are written, and taken, when the ops are done
			return false
		}
	}
	return true
}

// finish writes values that could not be written in place into their states, at the step's end, and names the outputs. Old values
// that are copied to another state or fetched are put aside before states change.
func (l *lowering) finish(copies []named) {
	aside := map[graph.Value]int{}
	changes := map[graph.Value]bool{}
	for _, a := range copies {
		changes[l.m.g.Lookup(a.name).Leaf] = true
	}
	from := func(v graph.Value) int {
		v = look(v)
		if !changes[v] {
			return l.memory(v)
		}
		b, ok := aside[v]
		if !ok {
			b = l.add(Buffer{DType: v.Spec().DType, Size: v.Shape().Size()})
			aside[v] = b
			l.p.Steps = append(l.p.Steps, copyStep(l.memory(v), b, v.Shape().Size()))
		}
		return b
	}
	for _, o := range l.m.outputs {
		l.p.Outputs = append(l.p.Outputs, Port{o.name, o.value.Spec(), from(o.value)})
	}
	sources := make([]int, len(copies))
	for i, a := range copies {
		sources[i] = from(a.value)
	}
	for i, a := range copies {
		step := copyStep(sources[i], l.buffer[l.m.g.Lookup(a.name).Leaf], a.value.Shape().Size())
		step.Path = a.name
		l.p.Steps = append(l.p.Steps, step)
	}
}

func copyStep(from, to, size int) Step {
	return Step{Chain: &Chain{
		Size: size, Args: []Arg{{Buffer: from, Access: Access{1, max(1, size)}}}, Outs: []Out{{Slot: 0, Buffer: to}},
	}}
}
