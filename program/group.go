package program

import (
	"cmp"
	"slices"

	"aetrain/graph"
	"aetrain/op"
)

// A group becomes one step: at most one node that does work of its own (the root), pointwise nodes over as many elements,
// and reductions of what they compute.
type group struct {
	root        *graph.Node
	nodes       []*graph.Node // pointwise, in build order
	sums        []*graph.Node // reductions of values of the group, in build order
	size        int           // elements that the chain walks over
	first, last int           // smallest and largest node ID
	searched    int           // last search that came by
}

// newGroup is a group of n alone.
func newGroup(n *graph.Node) *group {
	g := &group{size: n.Out[0].Shape.Size(), first: n.ID, last: n.ID}
	switch {
	case isPointwise(n):
		g.nodes = []*graph.Node{n}
	case chainSum(n):
		g.sums = []*graph.Node{n}
		g.size = n.In[0].Shape().Size()
	default:
		g.root = n
	}
	return g
}

// members yields all nodes of the group.
func (g *group) members(yield func(*graph.Node) bool) {
	if g.root != nil && !yield(g.root) {
		return
	}
	for _, n := range g.nodes {
		if !yield(n) {
			return
		}
	}
	for _, n := range g.sums {
		if !yield(n) {
			return
		}
	}
}

func (g *group) empty() bool { return g.root == nil && len(g.nodes)+len(g.sums) == 0 }

// take moves the nodes of b, which has no root, into g.
func (g *group) take(b *group) {
	byID := func(x, y *graph.Node) int { return cmp.Compare(x.ID, y.ID) }
	g.nodes = append(g.nodes, b.nodes...)
	g.sums = append(g.sums, b.sums...)
	slices.SortFunc(g.nodes, byID)
	slices.SortFunc(g.sums, byID)
	g.first, g.last = min(g.first, b.first), max(g.last, b.last)
	b.nodes, b.sums = nil, nil
}

// isLeaf reports nodes that no step computes.
func isLeaf(n *graph.Node) bool {
	switch n.Op.(type) {
	case graph.Input, graph.Read, graph.Constant:
		return true
	}
	return false
}

func isReshape(n *graph.Node) bool { return n.Op.Name() == "Reshape" }

// isPointwise reports nodes that a chain can hold.
func isPointwise(n *graph.Node) bool {
	if _, ok := n.Op.(graph.Sum); ok {
		return true
	}
	_, ok := n.Op.(op.Pointwise)
	return ok
}

// chainSum reports reductions that a chain can end in: those that keep one block of adjacent axes.
func chainSum(n *graph.Node) bool {
	r, ok := n.Op.(op.Reduce)
	if !ok {
		return false
	}
	_, ok = kept(n.In[0].Shape(), r.Axes)
	return ok
}

func inChain(n *graph.Node) bool { return isPointwise(n) || chainSum(n) }

// look returns the value whose memory v is: reshapes are looked through.
func look(v graph.Value) graph.Value {
	for isReshape(v.Node) {
		v = v.Node.In[0]
	}
	return v
}
