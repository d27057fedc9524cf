package op

import "aetrain/graph"

func init() { add(Scaled{C: 1}) }

// Scale returns c·x for a constant c.
func Scale(x graph.Value, c float64) graph.Value {
	if c == 1 {
		return x
	}
	return apply(Scaled{C: c}, x)
}

// Scaled is the op of [Scale].
type Scaled struct {
	pointwise
	C float64
}

func (Scaled) Name() string { return "Scale" }

func (s Scaled) VJP(_ *graph.Node, dOut []graph.Value) []graph.Value {
	return one(Scale(dOut[0], s.C))
}

func (s Scaled) Eval(out, in []graph.Tensor) {
	map1(out, in, func(x float64) float64 { return s.C * x })
}

func (Scaled) Examples() []graph.Example { return points(Scaled{C: -0.75}, 1, -2, 2) }
