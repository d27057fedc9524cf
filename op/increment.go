package op

import (
	"fmt"

	"aetrain/graph"
)

func init() { add(increment{}) }

// Increment returns x + 1 of an int32 value: what step counters are assigned. After 2^31 - 1 comes -2^31.
func Increment(x graph.Value) graph.Value { return apply(increment{}, x) }

type increment struct{}

func (increment) Name() string { return "Increment" }

// ScalarInputs tells that Increment is pointwise.
func (increment) ScalarInputs(inputs int) int { return inputs }

func (increment) Infer(in []graph.Spec) ([]graph.Spec, error) {
	if in[0].DType != graph.Int32 {
		return nil, fmt.Errorf("wants int32 values, got %v", in[0].DType)
	}
	return []graph.Spec{in[0]}, nil
}

func (increment) VJP(*graph.Node, []graph.Value) []graph.Value { return none(1) }

func (increment) Eval(out, in []graph.Tensor) {
	map1(out, in, func(x float64) float64 { return float64(int32(x) + 1) })
}

func (increment) Examples() []graph.Example {
	return []graph.Example{
		{Op: increment{}, Args: []graph.Arg{{Spec: graph.I32(), From: 0, To: 100}}},
		{Op: increment{}, Args: []graph.Arg{{Spec: graph.I32(3), Values: []float64{-1, 16777216, 2147483647}}}},
	}
}
