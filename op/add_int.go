package op

import (
	"fmt"

	"aetrain/graph"
)

func init() { add(addInt{}) }

// AddInt returns a + b of int32 values of one shape, with wrap-around: counters that may stand still.
func AddInt(a, b graph.Value) graph.Value { return apply(addInt{}, a, b) }

type addInt struct{}

func (addInt) Name() string { return "AddInt" }

// ScalarInputs tells that AddInt is pointwise.
func (addInt) ScalarInputs(inputs int) int { return inputs }

func (addInt) Infer(in []graph.Spec) ([]graph.Spec, error) {
	if in[0].DType != graph.Int32 || !in[0].Equal(in[1]) {
		return nil, fmt.Errorf("wants two int32 values of one shape, got %v and %v", in[0], in[1])
	}
	return []graph.Spec{in[0]}, nil
}

func (addInt) VJP(*graph.Node, []graph.Value) []graph.Value { return none(2) }

func (addInt) Eval(out, in []graph.Tensor) {
	map2(out, in, func(a, b float64) float64 { return float64(int32(a) + int32(b)) })
}

func (addInt) Examples() []graph.Example {
	arg := func(dims ...int) graph.Arg { return graph.Arg{Spec: graph.I32(dims...), From: -100, To: 100} }
	return []graph.Example{
		{Op: addInt{}, Args: []graph.Arg{arg(), arg()}},
		{Op: addInt{}, Args: []graph.Arg{arg(3, 5), arg(3, 5)}},
	}
}
