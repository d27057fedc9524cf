package op

import "aetrain/graph"

func init() { add(sign{}) }

// Sign returns 1 where x is positive, -1 where it is negative, and x itself where it is 0 or NaN. No gradient flows.
func Sign(x graph.Value) graph.Value { return apply(sign{}, x) }

type sign struct{ pointwise }

func (sign) Name() string { return "Sign" }

func (sign) VJP(*graph.Node, []graph.Value) []graph.Value { return none(1) }

func (sign) Eval(out, in []graph.Tensor) {
	map1(out, in, func(x float64) float64 {
		switch {
		case x > 0:
			return 1
		case x < 0:
			return -1
		}
		return x
	})
}

func (sign) Examples() []graph.Example { return kinked(points(sign{}, 1, -2, 2)) }
