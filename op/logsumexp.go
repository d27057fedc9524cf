package op

import (
	"errors"
	"fmt"

	"aetrain/graph"
)

func init() { add(LogSumExpOp{}) }

// LogSumExp returns log Σ exp(x) along axis, which disappears, without overflow: -Inf where all elements are -Inf.
// A negative axis counts from the end.
func LogSumExp(x graph.Value, axis int) graph.Value {
	return apply(LogSumExpOp{Axis: sortAxes(x.Rank(), []int{axis})[0]}, x)
}

// LogSumExpOp is the op of [LogSumExp]; Axis disappears.
type LogSumExpOp struct{ Axis int }

func (LogSumExpOp) Name() string { return "LogSumExp" }

func (o LogSumExpOp) Infer(in []graph.Spec) ([]graph.Spec, error) {
	x := in[0]
	if x.DType != graph.Float32 {
		return nil, fmt.Errorf("wants float32 values, got %v", x.DType)
	}
	shape, err := reducedShape(x.Shape, []int{o.Axis})
	if err == nil && x.Shape[o.Axis] == 0 {
		err = errors.New("there is no element to add up")
	}
	return []graph.Spec{{Shape: shape}}, err
}

// d/dx = softmax(x) = exp(x - y)
func (o LogSumExpOp) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	x, axes := n.In[0], []int{o.Axis}
	weight := Exp(Sub(x, expandAxes(n.Value(0), x.Shape(), axes)))
	return one(Mul(weight, expandAxes(dOut[0], x.Shape(), axes)))
}

func (o LogSumExpOp) Eval(out, in []graph.Tensor) {
	inner := in[0].Shape[o.Axis+1:].Size()
	row := make([]float64, in[0].Shape[o.Axis])
	for i := range out[0].Data {
		start := i/inner*inner*len(row) + i%inner
		for k := range row {
			row[k] = in[0].Data[start+k*inner]
		}
		out[0].Data[i] = logSumExp(row)
	}
}

func (LogSumExpOp) Examples() []graph.Example {
	of := func(axis int, from, to float64, dims ...int) graph.Example {
		return example(LogSumExpOp{Axis: axis}, 1, from, to, dims...)
	}
	return []graph.Example{
		of(1, -3, 3, 3, 7), of(0, -3, 3, 3, 7), of(0, -3, 3, 5), of(1, -30, 30, 2, 4), of(1, -3, 3, 2, 3, 4), of(2, -3, 3, 2, 3, 4),
		of(1, -1, 1, 4, 1), bench(of(1, -3, 3, 128, 512)),
	}
}
