package program

import (
	"slices"

	"aetrain/graph"
	"aetrain/op"
)

// A group becomes one step: at most one node that does work of its own (the root), pointwise nodes of one iteration space,
// and reductions of what they compute.
type group struct {
	id    int
	root  *graph.Node
	nodes []*graph.Node // pointwise, in build order
	sums  []*graph.Node // reductions of values of the group, in build order
	size  int           // elements of the iteration space
	shape graph.Shape
}

// members lists all nodes of the group.
func (g *group) members() []*graph.Node {
	var all []*graph.Node
	if g.root != nil {
		all = append(all, g.root)
	}
	return append(append(all, g.nodes...), g.sums...)
}

// last is the largest node ID, by which groups are ordered.
func (g *group) last() int {
	id := -1
	for _, n := range g.members() {
		id = max(id, n.ID)
	}
	return id
}

// fuser partitions the live nodes into groups.
type fuser struct {
	m       *module
	t       Target
	of      map[*graph.Node]*group
	users   map[*graph.Node][]*graph.Node // consumers, views looked through
	views   map[*graph.Node]bool          // nodes that cost nothing: reshapes, and broadcasts that all users read in place
	groups  []*group
	visited map[*group]int
	mark    int
}

// fuse puts every live node that does work into a group. A pointwise node joins the group that computes one of its inputs if
// both have the same iteration space and no other group lies between; so chains grow along the data, follow a product
// as its epilogue, and take a loss together with its gradient. A reduction ends the chain that feeds it.
func fuse(m *module, t Target) []*group {
	f := &fuser{m: m, t: t, of: map[*graph.Node]*group{}, users: map[*graph.Node][]*graph.Node{}, views: map[*graph.Node]bool{}, visited: map[*group]int{}}
	needed := live(m.g, m.roots())
	var work []*graph.Node
	for id, n := range m.g.Nodes() {
		if needed[id] {
			work = append(work, n)
		}
	}
	for _, n := range work {
		f.views[n] = isReshape(n)
	}
	f.findViews(work)
	for _, n := range work {
		for _, in := range n.In {
			f.users[in.Node] = append(f.users[in.Node], n)
		}
	}
	for _, n := range work {
		if !f.views[n] && !isLeaf(n) {
			f.start(n)
		}
	}
	for _, n := range work {
		if g := f.of[n]; g != nil && g.root != n {
			f.grow(n)
		}
	}
	return slices.DeleteFunc(f.groups, func(g *group) bool { return len(g.members()) == 0 })
}

// findViews marks the broadcasts that every user can read in place: as operands of pointwise ops and reductions.
func (f *fuser) findViews(work []*graph.Node) {
	copied := map[*graph.Node]bool{}
	for _, n := range work {
		for _, in := range n.In {
			if in.Node.Op.Name() == "BroadcastTo" && !inChain(n) {
				copied[in.Node] = true
			}
		}
	}
	for _, r := range f.m.roots() {
		if v := look(r); v.Node.Op.Name() == "BroadcastTo" {
			copied[v.Node] = true
		}
	}
	for _, n := range work {
		if b, ok := n.Op.(op.Broadcast); ok && !copied[n] {
			_, ok := access(n.In[0].Shape(), b.Dims)
			f.views[n] = ok
		}
	}
}

// start gives n a group of its own.
func (f *fuser) start(n *graph.Node) {
	g := &group{id: len(f.groups), shape: n.Out[0].Shape, size: n.Out[0].Shape.Size()}
	switch {
	case isPointwise(n):
		g.nodes = []*graph.Node{n}
	case chainSum(n):
		g.sums = []*graph.Node{n}
		g.shape, g.size = n.In[0].Shape(), n.In[0].Shape().Size()
	default:
		g.root = n
	}
	f.of[n] = g
	f.groups = append(f.groups, g)
}

// grow merges the group of n into those of its producers where that is possible.
func (f *fuser) grow(n *graph.Node) {
	inputs := slices.Clone(n.In)
	// The producer built last first: it is the one that n waits for.
	slices.SortStableFunc(inputs, func(a, b graph.Value) int { return b.Node.ID - a.Node.ID })
	summed := f.onlySummed(n)
	for _, in := range inputs {
		p := f.of[in.Node]
		if p == nil || p == f.of[n] || p.root != nil && summed {
			continue
		}
		if f.compatible(p, f.of[n], in) && !f.between(p, f.of[n]) {
			f.merge(p, f.of[n])
		}
	}
	// Chains over the same operand meet too: a loss and its gradient, several sums of one value.
	for _, in := range inputs {
		if in.Shape().Size() == 1 {
			continue // sharing a scalar is no reason to meet
		}
		for _, u := range f.users[in.Node] {
			a, b := f.of[u], f.of[n]
			if u.ID < n.ID && a != nil && a != b && a.root == nil && b.root == nil && f.compatible(a, b, in) && !f.between(a, b) && !f.between(b, a) {
				f.merge(a, b)
			}
		}
	}
}

// onlySummed reports whether reductions alone read n: it is better computed with them than stored by an epilogue.
func (f *fuser) onlySummed(n *graph.Node) bool {
	for _, r := range f.m.roots() {
		if look(r).Node == n {
			return false
		}
	}
	for _, u := range f.consumers(n) {
		if !chainSum(u) {
			return false
		}
	}
	return true
}

// compatible reports whether b may run in the step of a, whose value in it reads.
func (f *fuser) compatible(a, b *group, in graph.Value) bool {
	if b.root != nil || a.size != b.size || !a.shape.Equal(b.shape) {
		return false
	}
	if a.root == nil {
		return true
	}
	// An epilogue sees the root's first output only, and reductions of it would need a tree across tiles.
	return len(b.sums) == 0 && a.root.Out[0].DType == graph.Float32 && f.t.Epilogue != nil && f.t.Epilogue(a.root.Op) &&
		(in.Node != a.root || in.Index == 0)
}

// between reports whether a path leads from a to b through another group: then they cannot be one step.
func (f *fuser) between(a, b *group) bool {
	f.mark++
	for _, n := range a.members() {
		for _, u := range f.consumers(n) {
			if g := f.of[u]; g != a && g != b && f.reaches(g, a, b) {
				return true
			}
		}
	}
	return f.waitsForSum(a, b) || f.waitsForSum(b, a)
}

// waitsForSum reports whether b reads a reduction of a, which is complete only when a's whole step is.
func (f *fuser) waitsForSum(a, b *group) bool {
	for _, n := range a.sums {
		for _, u := range f.consumers(n) {
			if f.of[u] == b {
				return true
			}
		}
	}
	return false
}

func (f *fuser) reaches(g, a, b *group) bool {
	if g == a || g == b {
		return true
	}
	if f.visited[g] == f.mark {
		return false
	}
	f.visited[g] = f.mark
	for _, n := range g.members() {
		for _, u := range f.consumers(n) {
			if next := f.of[u]; next != g && f.reaches(next, a, b) {
				return true
			}
		}
	}
	return false
}

// consumers are the nodes in groups that read n, directly or through views.
func (f *fuser) consumers(n *graph.Node) []*graph.Node {
	var out []*graph.Node
	for _, u := range f.users[n] {
		if f.views[u] {
			out = append(out, f.consumers(u)...)
		} else {
			out = append(out, u)
		}
	}
	return out
}

// merge moves b's nodes into a.
func (f *fuser) merge(a, b *group) {
	for _, n := range b.members() {
		f.of[n] = a
	}
	byID := func(x, y *graph.Node) int { return x.ID - y.ID }
	a.nodes = append(a.nodes, b.nodes...)
	a.sums = append(a.sums, b.sums...)
	slices.SortFunc(a.nodes, byID)
	slices.SortFunc(a.sums, byID)
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
