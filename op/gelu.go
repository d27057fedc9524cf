package op

import "aetrain/graph"

func init() { add(gelu{}) }

// GELU returns x·Φ(x), elementwise, Φ the normal distribution function: the exact form, PyTorch's default.
// Source: Hendrycks & Gimpel 2016, "Gaussian Error Linear Units", section 2.
func GELU(x graph.Value) graph.Value { return apply(gelu{}, x) }

type gelu struct{ pointwise }

func (gelu) Name() string { return "GELU" }

func (gelu) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return one(apply(geluGrad{}, n.In[0], dOut[0]))
}

func (gelu) Eval(out, in []graph.Tensor) {
	map1(out, in, func(x float64) float64 { return x * phiCDF(x) })
}

func (gelu) Examples() []graph.Example { return points(gelu{}, 1, -4, 4) }
