package op

import (
	"math"

	"aetrain/graph"
)

func init() { add(log1p{}) }

// Log1p returns log(1+x), elementwise, exact near 0 too.
func Log1p(x graph.Value) graph.Value { return apply(log1p{}, x) }

type log1p struct{ pointwise }

func (log1p) Name() string { return "Log1p" }

func (log1p) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return one(Div(dOut[0], AddConst(n.In[0], 1)))
}

func (log1p) Eval(out, in []graph.Tensor) { map1(out, in, math.Log1p) }

func (log1p) Examples() []graph.Example { return points(log1p{}, 1, -0.7, 3) }
