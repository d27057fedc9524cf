package program

import (
	"container/heap"
	"errors"
)

// schedule orders groups so that each comes after those that it reads, otherwise as they were built: the order in which
// model code says forward, backward and update is already a good one for memory.
func schedule(u *unit) error {
	of := make([]*group, len(u.m.g.Nodes()))
	for _, g := range u.groups {
		for n := range g.members {
			of[n.ID] = g
		}
	}
	waits, next := map[*group]int{}, map[*group][]*group{}
	for _, g := range u.groups {
		for p := range producers(g, of) {
			waits[g]++
			next[p] = append(next[p], g)
		}
	}
	var ready byLast
	for _, g := range u.groups {
		if waits[g] == 0 {
			heap.Push(&ready, g)
		}
	}
	order := make([]*group, 0, len(u.groups))
	for ready.Len() > 0 {
		g := heap.Pop(&ready).(*group)
		order = append(order, g)
		for _, n := range next[g] {
			if waits[n]--; waits[n] == 0 {
				heap.Push(&ready, n)
			}
		}
	}
	if len(order) != len(u.groups) {
		return errors.New("fusion made a cycle")
	}
	u.groups = order
	return nil
}

// producers are the groups whose values g reads, directly or through views.
func producers(g *group, of []*group) map[*group]bool {
	found := map[*group]bool{}
	for n := range g.members {
		for _, in := range n.In {
			src := in.Node
			for of[src.ID] == nil && !isLeaf(src) { // a view has one input
				src = src.In[0].Node
			}
			if p := of[src.ID]; p != nil && p != g {
				found[p] = true
			}
		}
	}
	return found
}

type byLast []*group

func (h byLast) Len() int           { return len(h) }
func (h byLast) Less(i, j int) bool { return h[i].last < h[j].last }
func (h byLast) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *byLast) Push(x any)        { *h = append(*h, x.(*group)) }
func (h *byLast) Pop() any {
	old := *h
	g := old[len(old)-1]
	*h = old[:len(old)-1]
	return g
}
