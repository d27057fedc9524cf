package program

import (
	"container/heap"
	"errors"

	"aetrain/graph"
)

// schedule orders groups so that each comes after those that it reads, otherwise as they were built: the order in which
// model code says forward, backward and update is already a good one for memory.
func schedule(groups []*group) ([]*group, error) {
	of := map[*graph.Node]*group{}
	for _, g := range groups {
		for _, n := range g.members() {
			of[n] = g
		}
	}
	waits, next := map[*group]int{}, map[*group][]*group{}
	for _, g := range groups {
		for p := range producers(g, of) {
			waits[g]++
			next[p] = append(next[p], g)
		}
	}
	var ready byLast
	for _, g := range groups {
		if waits[g] == 0 {
			heap.Push(&ready, g)
		}
	}
	order := make([]*group, 0, len(groups))
	for ready.Len() > 0 {
		g := heap.Pop(&ready).(*group)
		order = append(order, g)
		for _, n := range next[g] {
			if waits[n]--; waits[n] == 0 {
				heap.Push(&ready, n)
			}
		}
	}
	if len(order) != len(groups) {
		return nil, errors.New("program: schedule: fusion made a cycle")
	}
	return order, nil
}

// producers are the groups whose values g reads, directly or through views.
func producers(g *group, of map[*graph.Node]*group) map[*group]bool {
	found := map[*group]bool{}
	var visit func(n *graph.Node)
	visit = func(n *graph.Node) {
		for _, in := range n.In {
			if p := of[in.Node]; p == nil {
				visit(in.Node)
			} else if p != g {
				found[p] = true
			}
		}
	}
	for _, n := range g.members() {
		visit(n)
	}
	return found
}

type byLast []*group

func (h byLast) Len() int           { return len(h) }
func (h byLast) Less(i, j int) bool { return h[i].last() < h[j].last() }
func (h byLast) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *byLast) Push(x any)        { *h = append(*h, x.(*group)) }
func (h *byLast) Pop() any {
	old := *h
	g := old[len(old)-1]
	*h = old[:len(old)-1]
	return g
}
