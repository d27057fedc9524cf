package op

import (
	"math"

	"aetrain/graph"
)

func init() { add(log{}) }

// Log returns the natural logarithm of x, elementwise: -Inf at 0, NaN below.
func Log(x graph.Value) graph.Value { return apply(log{}, x) }

type log struct{ pointwise }

func (log) Name() string { return "Log" }

func (log) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return one(Div(dOut[0], n.In[0]))
}

func (log) Eval(out, in []graph.Tensor) { map1(out, in, math.Log) }

func (log) Examples() []graph.Example { return points(log{}, 1, 0.2, 4) }
