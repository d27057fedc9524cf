package op

import "aetrain/graph"

func init() { add(AddConstOp{}) }

// AddConst returns x + c for a constant c, elementwise.
func AddConst(x graph.Value, c float64) graph.Value {
	if c == 0 {
		return x
	}
	return apply(AddConstOp{C: c}, x)
}

// AddConstOp is the op of [AddConst]; C is what it adds.
type AddConstOp struct {
	pointwise
	C float64
}

func (AddConstOp) Name() string { return "AddConst" }

func (AddConstOp) VJP(_ *graph.Node, dOut []graph.Value) []graph.Value { return one(dOut[0]) }

func (o AddConstOp) Eval(out, in []graph.Tensor) {
	map1(out, in, func(x float64) float64 { return x + o.C })
}

func (AddConstOp) Examples() []graph.Example { return points(AddConstOp{C: -0.75}, 1, -2, 2) }
