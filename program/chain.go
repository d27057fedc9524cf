package program

import (
	"math"

	"aetrain/graph"
	"aetrain/op"
)

// chainer writes the pointwise part of a group.
type chainer struct {
	*lowering
	g     *group
	c     *Chain
	slots map[graph.Value]int // of the root's output and of what the chain has computed so far
	args  map[Arg]int         // slots of operands
	next  int
}

// newChain writes the chain of g. Slots are handed out in the order in which a backend meets them, so operands come first.
func newChain(l *lowering, g *group) *Chain {
	k := &chainer{lowering: l, g: g, c: &Chain{Size: g.size}, slots: map[graph.Value]int{}, args: map[Arg]int{}}
	if g.root != nil {
		k.slots[g.root.Value(0)] = 0
		k.next = 1
	}
	for _, list := range [][]*graph.Node{g.nodes, g.sums} {
		for _, n := range list {
			for _, in := range n.In {
				k.operand(in)
			}
		}
	}
	for _, n := range g.nodes {
		k.op(n)
	}
	for _, n := range g.sums {
		a, _ := kept(n.In[0].Shape(), n.Op.(op.Reduce).Axes)
		k.c.Sums = append(k.c.Sums, Total{Slot: k.slot(n.In[0]), Buffer: l.memory(n.Value(0)), Access: a})
	}
	return k.c
}

// inside reports whether the group computes v: the root's output, or a value of the chain.
func (k *chainer) inside(v graph.Value) bool {
	return k.computed(v) && k.order[k.of[v.Node.ID]] == k.g
}

// operand gives a value from outside a slot: one for each way of reading a buffer.
func (k *chainer) operand(in graph.Value) {
	if k.inside(look(in)) {
		return
	}
	a := k.arg(in)
	if _, ok := k.args[a]; !ok {
		k.args[a] = k.next
		k.c.Args = append(k.c.Args, a)
		k.next++
	}
}

// slot is where the chain finds in.
func (k *chainer) slot(in graph.Value) int {
	if v := look(in); k.inside(v) {
		return k.slots[v]
	}
	return k.args[k.arg(in)]
}

func (k *chainer) op(n *graph.Node) {
	o := ChainOp{Node: n}
	for _, in := range n.In {
		o.In = append(o.In, k.slot(in))
	}
	for i := range n.Out {
		v := n.Value(i)
		k.slots[v] = k.next
		o.Out = append(o.Out, k.next)
		if k.stored(v) {
			k.c.Outs = append(k.c.Outs, Out{Slot: k.next, Buffer: k.memory(v)})
		}
		k.next++
	}
	k.c.Ops = append(k.c.Ops, o)
}

// arg says how the chain reads in. Constants of one number share a buffer of one element.
func (k *chainer) arg(in graph.Value) Arg {
	v, _ := k.source(in)
	a := Arg{Access: k.access(k.g, in)}
	if x, ok := fillOf(v); ok && v.Spec().DType == graph.Float32 {
		b, ok := k.scalar[math.Float64bits(x)]
		if !ok {
			b = k.add(Buffer{Place: Constant, Size: 1, Data: []float64{x}})
			k.scalar[math.Float64bits(x)] = b
		}
		a.Buffer = b
		return a
	}
	a.Buffer = k.memory(v)
	return a
}

// access says how the chain of g reads in.
func (l *lowering) access(g *group, in graph.Value) Access {
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
