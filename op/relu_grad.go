package op

import "aetrain/graph"

func init() { add(reluGrad{}) }

// reluGrad is the gradient of [ReLU]: dy where the ReLU's result y is above 0, else 0. NaN in dy does not leak where y is 0.
type reluGrad struct{ pointwise }

func (reluGrad) Name() string        { return "ReLUGrad" }
func (reluGrad) Arguments() []string { return []string{"y", "dy"} }

// Linear in dy; y only switches.
func (reluGrad) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return []graph.Value{{}, apply(reluGrad{}, n.In[0], dOut[0])}
}

func (reluGrad) Eval(out, in []graph.Tensor) {
	map2(out, in, func(y, dy float64) float64 {
		if y > 0 {
			return dy
		}
		return 0
	})
}

func (reluGrad) Examples() []graph.Example { return kinked(points(reluGrad{}, 2, -2, 2)) }
