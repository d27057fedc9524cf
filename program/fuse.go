package program

import (
	"slices"

	"aetrain/graph"
	"aetrain/op"
)

// fuser partitions the live nodes into groups.
type fuser struct {
	t       Target
	of      []*group        // by node ID; nil for leaves and views
	views   []bool          // by node ID: costs nothing
	readers [][]*graph.Node // by node ID: the nodes in groups that read it, directly or through views
	asked   []bool          // by node ID: the outside wants it
	now     int             // ID of the node that looks for a group
	search  int             // number of the search that marks groups
}

// fuse puts every live node that does work into a group. A pointwise node joins the group that computes one of its inputs if
// both have as many elements and no other group lies between; so chains grow along the data, follow a product
// as its epilogue, and take a loss together with its gradient. A reduction ends the chain that feeds it.
//
// Shapes play no part: a chain walks over elements in the order of memory, which a reshape does not change.
func fuse(u *unit) error {
	n := len(u.m.g.Nodes())
	f := &fuser{t: u.t, of: make([]*group, n), views: make([]bool, n), readers: make([][]*graph.Node, n), asked: make([]bool, n)}
	var work []*graph.Node
	for id, needed := range live(u.m.g, u.m.roots()) {
		if needed {
			work = append(work, u.m.g.Nodes()[id])
		}
	}
	for _, r := range u.m.roots() {
		f.asked[look(r).Node.ID] = true
	}
	f.findViews(work)
	var groups []*group
	for _, n := range work {
		if !f.views[n.ID] && !isLeaf(n) {
			f.of[n.ID] = newGroup(n)
			groups = append(groups, f.of[n.ID])
			f.findReaders(n)
		}
	}
	for _, n := range work {
		if g := f.of[n.ID]; g != nil && g.root != n {
			f.now = n.ID
			f.follow(n)
			f.meet(n)
		}
	}
	u.groups = slices.DeleteFunc(groups, (*group).empty)
	return nil
}

// findViews marks reshapes, and the broadcasts that every user can read in place: as operands of pointwise ops and reductions.
func (f *fuser) findViews(work []*graph.Node) {
	copied := map[*graph.Node]bool{}
	for _, n := range work {
		f.views[n.ID] = isReshape(n)
		for _, in := range n.In {
			if !inChain(n) {
				copied[in.Node] = true
			}
		}
	}
	for _, n := range work {
		if b, ok := n.Op.(op.Broadcast); ok && !copied[n] && !f.asked[n.ID] {
			f.views[n.ID] = inPlace(n.In[0].Spec(), b.Dims)
		}
	}
}

// inPlace reports whether chains can read x stretched to dims without a copy. Integers only where one number is repeated:
// chains compute in float32, which would not hold all of them.
func inPlace(x graph.Spec, dims graph.Shape) bool {
	a, ok := access(x.Shape, dims)
	return ok && (x.DType == graph.Float32 || a.Period == 1)
}

// findReaders notes n with everything that it reads, views looked through.
func (f *fuser) findReaders(n *graph.Node) {
	for _, in := range n.In {
		src := in.Node
		for f.views[src.ID] {
			src = src.In[0].Node
		}
		if list := f.readers[src.ID]; len(list) == 0 || list[len(list)-1] != n {
			f.readers[src.ID] = append(list, n)
		}
	}
}

// follow merges the group of n into those of its producers where that is possible.
func (f *fuser) follow(n *graph.Node) {
	inputs := make([]graph.Value, 0, len(n.In))
	for _, in := range n.In {
		inputs = append(inputs, look(in))
	}
	// The producer built last first: it is the one that n waits for.
	slices.SortStableFunc(inputs, func(a, b graph.Value) int { return b.Node.ID - a.Node.ID })
	summed := f.onlySummed(n)
	for _, in := range inputs {
		p, g := f.of[in.Node.ID], f.of[n.ID]
		// What only reductions read is better computed with them than stored by an epilogue.
		if p == nil || p == g || p.root != nil && (summed || f.joins(n, in)) {
			continue
		}
		if f.compatible(p, g) && !f.between(p, g) {
			f.merge(p, g)
		}
	}
}

// meet merges chains that walk over the same operand: a loss and its gradient, several sums of one value.
func (f *fuser) meet(n *graph.Node) {
	for _, in := range n.In {
		f.joins(n, look(in))
	}
}

// joins merges the group of n with chains of their own that read in too, and reports whether there was one. Then in is stored
// anyway, and n costs no further pass: that is better than an epilogue, which would store the result of n beside it.
func (f *fuser) joins(n *graph.Node, in graph.Value) (found bool) {
	if size := in.Shape().Size(); size == 1 || size != f.of[n.ID].size {
		return false // sharing a scalar or a bias is no reason to meet
	}
	for _, u := range f.readers[in.Node.ID] {
		if u.ID >= n.ID {
			break
		}
		a, b := f.of[u.ID], f.of[n.ID]
		if a != b && a.root == nil && b.root == nil && f.compatible(a, b) && !f.between(a, b) && !f.between(b, a) {
			f.merge(a, b)
			found = true
		}
	}
	return found
}

// onlySummed reports whether reductions alone read n.
func (f *fuser) onlySummed(n *graph.Node) bool {
	return !f.asked[n.ID] && !slices.ContainsFunc(f.readers[n.ID], func(u *graph.Node) bool { return !chainSum(u) })
}

// compatible reports whether b may run in the step of a.
func (f *fuser) compatible(a, b *group) bool {
	if b.root != nil || a.size != b.size {
		return false
	}
	if a.root == nil {
		return true
	}
	// An epilogue sees the root's first output only, and reductions of it would need a tree across tiles.
	if len(b.sums) > 0 || a.root.Out[0].DType != graph.Float32 || f.t.Epilogue == nil || !f.t.Epilogue(a.root.Op) {
		return false
	}
	for _, n := range b.nodes {
		for _, in := range n.In {
			if v := look(in); v.Node == a.root && v.Index != 0 {
				return false
			}
		}
	}
	return true
}

// between reports whether a path leads from a to b through another group, or through a reduction that is complete only when
// a's whole step is: then they cannot be one step.
func (f *fuser) between(a, b *group) bool {
	f.search++
	for _, n := range a.sums {
		for _, u := range f.readers[n.ID] {
			if f.of[u.ID] == b {
				return true
			}
		}
	}
	for n := range a.members {
		for _, u := range f.readers[n.ID] {
			if g := f.of[u.ID]; g != a && g != b && f.reaches(g, a, b) {
				return true
			}
		}
	}
	return false
}

// reaches reports whether a path leads from g to a or b. Nodes behind the one that looks for a group are alone in theirs
// still, and lead to later ones only.
func (f *fuser) reaches(g, a, b *group) bool {
	if g == a || g == b {
		return true
	}
	if g.searched == f.search || g.first > f.now {
		return false
	}
	g.searched = f.search
	for n := range g.members {
		for _, u := range f.readers[n.ID] {
			if next := f.of[u.ID]; next != g && f.reaches(next, a, b) {
				return true
			}
		}
	}
	return false
}

// merge moves b's nodes into a.
func (f *fuser) merge(a, b *group) {
	for n := range b.members {
		f.of[n.ID] = a
	}
	a.take(b)
}
