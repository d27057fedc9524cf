package program

import "aetrain/graph"

// expandDepth is how deep expansions may lie in one another: a gradient op's definition may hold the forward op.
const expandDepth = 8

// expand replaces composite ops that the target has no kernel for by their definition in smaller ops, which fuse into chains.
// A composite op without either stays: the backend runs its reference, and says so.
func expand(u *unit) error {
	if u.t.Kernel == nil {
		return nil
	}
	for range expandDepth {
		missing := false
		for id, needed := range live(u.m.g, u.m.roots()) {
			missing = missing || needed && expands(u.m.g.Nodes()[id].Op, u.t)
		}
		if !missing {
			return nil
		}
		next, err := u.m.rewrite(func(r *rewriter, n *graph.Node, in []graph.Value) []graph.Value {
			if !expands(n.Op, u.t) {
				return nil
			}
			return n.Op.(graph.Expander).Expand(&graph.Node{Op: n.Op, In: in, Out: n.Out, Path: n.Path})
		})
		if err != nil {
			return err
		}
		u.m = next
	}
	return nil
}

func expands(o graph.Op, t Target) bool {
	_, ok := o.(graph.Expander)
	return ok && !t.Kernel(o)
}
