package program

import "aetrain/graph"

// rule rewrites an op with one output: it returns the value to use instead, or the zero Value where it does not apply.
type rule func(r *rewriter, o graph.Op, in []graph.Value) graph.Value

// simplifications are tried in order on every node; the first that applies wins.
var simplifications = []rule{
	forward,        // ops that only matter to gradients
	fold, foldFill, // constants
	neutral, scales, sums, // arithmetic
	reshapes, broadcasts, transposes, products, reductions, // moves of elements
	hoistBroadcast,
}

// simplifyRounds bounds the rounds; a rule only ever makes a graph smaller or moves a broadcast towards its readers, so that
// real graphs need three or four.
const simplifyRounds = 12

// simplify rewrites until no rule applies: a rewrite may enable others on nodes before it.
func simplify(u *unit) error {
	for range simplifyRounds {
		applied := 0
		next, err := u.m.rewrite(func(r *rewriter, n *graph.Node, in []graph.Value) []graph.Value {
			if len(n.Out) != 1 {
				return nil
			}
			for _, rule := range simplifications {
				if v := rule(r, n.Op, in); v.Valid() {
					applied++
					return []graph.Value{v}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		u.m = next
		if applied == 0 {
			break
		}
	}
	u.p.NodesAfter = u.m.count()
	return nil
}

// forward drops ops whose result is one of their inputs.
func forward(_ *rewriter, o graph.Op, in []graph.Value) graph.Value {
	if f, ok := o.(interface{ Forwards() int }); ok {
		return in[f.Forwards()]
	}
	return graph.Value{}
}
