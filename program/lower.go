package program

import (
	"aetrain/graph"
	"aetrain/op"
)

// lowering gives every value that steps exchange a buffer and writes the steps.
type lowering struct {
	p       *Program
	m       *module
	order   []*group
	of      []int               // by node ID: position in order of the group that holds the node; -1 for leaves and views
	buffer  map[graph.Value]int // by the value that owns the memory
	scalar  map[uint64]int      // constants that chains read as one number, by its bits: 0 and -0 differ
	outside map[graph.Value]bool
	readers map[graph.Value]int // last position that reads the memory; len(order) is the end of the step
}

// lower writes buffers and steps for the groups, in their order.
func lower(u *unit) error {
	l := &lowering{
		p: u.p, m: u.m, order: u.groups, of: make([]int, len(u.m.g.Nodes())), buffer: map[graph.Value]int{},
		scalar: map[uint64]int{}, outside: map[graph.Value]bool{}, readers: map[graph.Value]int{},
	}
	for id := range l.of {
		l.of[id] = -1
	}
	for i, g := range l.order {
		for n := range g.members {
			l.of[n.ID] = i
		}
	}
	l.findReaders()
	l.leaves()
	copies := l.assignments()
	for _, g := range l.order {
		l.p.Steps = append(l.p.Steps, l.step(g))
	}
	l.finish(copies)
	return nil
}

// computed reports whether a step computes v.
func (l *lowering) computed(v graph.Value) bool { return l.of[v.Node.ID] >= 0 }

// source returns the value whose memory a read of v touches, and the broadcast that it is read through, if any.
func (l *lowering) source(v graph.Value) (graph.Value, *graph.Node) {
	v = look(v)
	if _, ok := v.Node.Op.(op.Broadcast); ok && !l.computed(v) {
		return look(v.Node.In[0]), v.Node
	}
	return v, nil
}

// findReaders notes for each value's memory the last group that reads it, and whether a group other than its own does.
func (l *lowering) findReaders() {
	for i, g := range l.order {
		for n := range g.members {
			for _, in := range n.In {
				v, _ := l.source(in)
				l.readers[v] = max(l.readers[v], i)
				if at := l.of[v.Node.ID]; at >= 0 && at != i {
					l.outside[v] = true
				}
			}
		}
	}
	for _, r := range l.m.roots() {
		l.outside[look(r)] = true
	}
	for _, r := range l.m.roots() {
		if v := look(r); isLeaf(v.Node) {
			l.readers[v] = len(l.order)
		}
	}
}

// leaves gives inputs and states their buffers.
func (l *lowering) leaves() {
	for _, n := range l.m.g.Inputs() {
		o := n.Op.(graph.Input)
		b := l.add(Buffer{Place: Input, Name: o.Label, DType: o.Spec.DType, Size: o.Spec.Shape.Size()})
		l.buffer[n.Value(0)] = b
		l.p.Inputs = append(l.p.Inputs, Port{o.Label, o.Spec, b})
	}
	assigned := map[string]bool{}
	for _, a := range l.m.assigns {
		assigned[a.name] = true
	}
	for _, st := range l.m.g.States() {
		b := l.add(Buffer{Place: Stored, Name: st.Name, DType: st.Spec.DType, Size: st.Spec.Shape.Size()})
		l.buffer[st.Leaf] = b
		l.p.States = append(l.p.States, State{st.Name, st.Kind, st.Spec, st.Init, b, assigned[st.Name]})
	}
}

func (l *lowering) add(b Buffer) int {
	l.p.Buffers = append(l.p.Buffers, b)
	return len(l.p.Buffers) - 1
}

// memory is the buffer that holds v.
func (l *lowering) memory(v graph.Value) int {
	v = look(v)
	b, ok := l.buffer[v]
	if !ok {
		s := v.Spec()
		buf := Buffer{DType: s.DType, Size: s.Shape.Size()}
		if c, ok := v.Node.Op.(graph.Constant); ok {
			buf.Place, buf.Data = Constant, c.Data
		}
		b = l.add(buf)
		l.buffer[v] = b
	}
	return b
}

// stored reports whether v needs memory behind its own step.
func (l *lowering) stored(v graph.Value) bool {
	_, bound := l.buffer[v]
	return bound || l.outside[v]
}

// step writes the step of one group.
func (l *lowering) step(g *group) Step {
	var s Step
	if g.root != nil {
		s.Node, s.Path = g.root, g.root.Path
		for _, in := range g.root.In {
			s.In = append(s.In, l.memory(in))
		}
		for i := range g.root.Out {
			b := -1
			if v := g.root.Value(i); l.stored(v) {
				b = l.memory(v)
			}
			s.Out = append(s.Out, b)
		}
	}
	if len(g.nodes)+len(g.sums) > 0 {
		s.Chain = newChain(l, g)
	}
	for n := range g.members {
		if s.Path == "" {
			s.Path = n.Path
		}
	}
	return s
}
