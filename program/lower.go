package program

import (
	"aetrain/graph"
	"aetrain/op"
)

// lowering gives every value that steps exchange a buffer and writes the steps.
type lowering struct {
	p        *Program
	m        *module
	order    []*group
	of       map[*graph.Node]int // position in order of the group that holds the node
	buffer   map[graph.Value]int // by the value that owns the memory
	scalar   map[float64]int     // constants that chains read as one number
	outside  map[graph.Value]bool
	readers  map[graph.Value]int // last position that reads the memory; len(order) is the end of the step
	snapshot map[graph.Value]int
}

// lower writes p's buffers and steps for groups in this order.
func lower(p *Program, m *module, order []*group) {
	l := &lowering{
		p: p, m: m, order: order, of: map[*graph.Node]int{}, buffer: map[graph.Value]int{}, scalar: map[float64]int{},
		outside: map[graph.Value]bool{}, readers: map[graph.Value]int{}, snapshot: map[graph.Value]int{},
	}
	for i, g := range order {
		for _, n := range g.members() {
			l.of[n] = i
		}
	}
	l.findReaders()
	l.leaves()
	copies := l.assignments()
	for _, g := range order {
		p.Steps = append(p.Steps, l.step(g))
	}
	for _, o := range m.outputs {
		p.Outputs = append(p.Outputs, Port{o.name, o.value.Spec(), l.memory(o.value)})
	}
	l.copies(copies)
	reuseInPlace(p)
}

// source returns the value whose memory a read of v touches, and the broadcast that it is read through, if any.
func (l *lowering) source(v graph.Value) (graph.Value, *graph.Node) {
	if _, computed := l.of[v.Node]; computed {
		return v, nil
	}
	if isReshape(v.Node) {
		return look(v), nil
	}
	if _, ok := v.Node.Op.(op.Broadcast); ok {
		return look(v.Node.In[0]), v.Node
	}
	return v, nil
}

// findReaders notes for each value's memory the last group that reads it, and whether a group other than its own does.
func (l *lowering) findReaders() {
	for i, g := range l.order {
		for _, n := range g.members() {
			for _, in := range n.In {
				v, _ := l.source(in)
				l.readers[v] = max(l.readers[v], i)
				if at, ok := l.of[v.Node]; ok && (at != i || n == g.root) {
					l.outside[v] = true
				}
			}
		}
	}
	for _, r := range l.m.roots() {
		v := look(r)
		l.outside[v] = true
	}
	for _, o := range l.m.outputs {
		l.readers[look(o.value)] = len(l.order)
	}
	for _, a := range l.m.assigns {
		if v := look(a.value); isLeaf(v.Node) {
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

// assignments lets steps write states directly where nobody reads the old value later, and returns the others.
func (l *lowering) assignments() (copies []named) {
	for _, a := range l.m.assigns {
		st := l.m.g.Lookup(a.name)
		v := look(a.value)
		if v == st.Leaf {
			continue // assigned to itself
		}
		_, bound := l.buffer[v]
		at, computed := l.of[v.Node]
		if bound || !computed || l.readers[st.Leaf] > at || l.readers[st.Leaf] == at && !l.inPlace(l.order[at], st.Leaf, v) {
			copies = append(copies, a)
			continue
		}
		l.buffer[v] = l.buffer[st.Leaf]
	}
	return copies
}

// inPlace reports whether group g may write v over leaf: it reads leaf element by element if at all.
func (l *lowering) inPlace(g *group, leaf, v graph.Value) bool {
	if g.root != nil || v.Shape().Size() != g.size {
		return false
	}
	reads := false
	for _, n := range g.members() {
		for _, in := range n.In {
			if src, _ := l.source(in); src == leaf {
				reads = true
				if a := l.accessOf(g, in); a.Inner != 1 || a.Period != g.size {
					return false
				}
			}
		}
	}
	for _, s := range g.sums {
		if s == v.Node {
			return !reads
		}
	}
	return true
}

// copies writes values that could not be written in place into their states, at the step's end. What another copy may
// overwrite is put aside first.
func (l *lowering) copies(list []named) {
	l.order = append(l.order, nil)
	for _, a := range list {
		v := look(a.value)
		if _, ok := v.Node.Op.(graph.Read); ok {
			if _, done := l.snapshot[v]; !done {
				aside := l.add(Buffer{DType: v.Spec().DType, Size: v.Shape().Size()})
				l.p.Steps = append(l.p.Steps, copyStep(l.memory(v), aside, v.Shape().Size()))
				l.snapshot[v] = aside
			}
		}
	}
	for _, a := range list {
		v := look(a.value)
		from, ok := l.snapshot[v]
		if !ok {
			from = l.memory(v)
		}
		step := copyStep(from, l.buffer[l.m.g.Lookup(a.name).Leaf], v.Shape().Size())
		step.Path = a.name
		l.p.Steps = append(l.p.Steps, step)
	}
}

func copyStep(from, to, size int) Step {
	return Step{Chain: &Chain{
		Size: size, Args: []Arg{{Buffer: from, Access: Access{1, size}}}, Outs: []Out{{Slot: 0, Buffer: to}},
	}}
}

// step writes the step of one group.
func (l *lowering) step(g *group) Step {
	s := Step{Node: g.root, Path: g.members()[0].Path}
	slots := map[graph.Value]int{}
	if g.root != nil {
		for _, in := range g.root.In {
			s.In = append(s.In, l.memory(in))
		}
		for i := range g.root.Out {
			v := g.root.Value(i)
			_, bound := l.buffer[v]
			if bound || l.outside[v] {
				s.Out = append(s.Out, l.memory(v))
			} else {
				s.Out = append(s.Out, -1)
			}
		}
		slots[g.root.Value(0)] = 0
	}
	if len(g.nodes)+len(g.sums) > 0 {
		s.Chain = l.chain(g, slots)
	}
	return s
}

// chain writes the pointwise part of g.
func (l *lowering) chain(g *group, slots map[graph.Value]int) *Chain {
	c := &Chain{Size: g.size}
	next := len(slots)
	inside := map[graph.Value]bool{}
	for _, n := range g.nodes {
		for i := range n.Out {
			inside[n.Value(i)] = true
		}
	}
	// Operands first: every read of a value from outside is a slot of its own access.
	args := map[argKey]int{}
	operand := func(in graph.Value) int {
		if s, ok := slots[in]; ok && (inside[in] || g.root != nil && in.Node == g.root) {
			return s
		}
		key := argKey{l.operandBuffer(in), l.accessOf(g, in)}
		if s, ok := args[key]; ok {
			return s
		}
		args[key] = next
		c.Args = append(c.Args, Arg{key.buffer, key.access})
		next++
		return next - 1
	}
	ins := map[*graph.Node][]int{}
	for _, n := range append(append([]*graph.Node(nil), g.nodes...), g.sums...) {
		for _, in := range n.In {
			if inside[in] {
				ins[n] = append(ins[n], -1)
			} else {
				ins[n] = append(ins[n], operand(in))
			}
		}
	}
	fill := func(n *graph.Node) []int {
		for i, in := range n.In {
			if inside[in] {
				ins[n][i] = slots[in]
			}
		}
		return ins[n]
	}
	for _, n := range g.nodes {
		o := ChainOp{Node: n, In: fill(n)}
		for i := range n.Out {
			slots[n.Value(i)] = next
			o.Out = append(o.Out, next)
			next++
		}
		c.Ops = append(c.Ops, o)
		for i := range n.Out {
			v := n.Value(i)
			if _, bound := l.buffer[v]; bound || l.outside[v] {
				c.Outs = append(c.Outs, Out{Slot: slots[v], Buffer: l.memory(v)})
			}
		}
	}
	for _, n := range g.sums {
		a, _ := kept(n.In[0].Shape(), n.Op.(op.Reduce).Axes)
		c.Sums = append(c.Sums, Total{Slot: fill(n)[0], Buffer: l.memory(n.Value(0)), Access: a})
	}
	return c
}

type argKey struct {
	buffer int
	access Access
}

// operandBuffer is the buffer of a chain's operand; constants of one number share a buffer of one element.
func (l *lowering) operandBuffer(in graph.Value) int {
	v, _ := l.source(in)
	if x, ok := fillOf(v); ok && v.Spec().DType == graph.Float32 {
		b, ok := l.scalar[x]
		if !ok {
			b = l.add(Buffer{Place: Constant, Size: 1, Data: []float64{x}})
			l.scalar[x] = b
		}
		return b
	}
	return l.memory(v)
}

// accessOf says how group g reads in.
func (l *lowering) accessOf(g *group, in graph.Value) Access {
	v, through := l.source(in)
	if _, ok := fillOf(v); ok && v.Spec().DType == graph.Float32 || v.Shape().Size() == 1 {
		return Access{1, 1}
	}
	if through == nil {
		return Access{1, max(1, g.size)}
	}
	a, _ := access(through.In[0].Shape(), through.Out[0].Shape)
	return a
}
