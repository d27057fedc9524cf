package op

import (
	"fmt"
	"math"

	"aetrain/graph"
)

// Updates are the optimisers' steps: ops with several outputs, the new values of a parameter and of its moments. All tensors
// have one shape; the scalars after them are float32 values (fed or computed), so that a schedule changes them without
// anything being recorded again. The last scalar is ok: where it is 0 every output is exactly the old value, whatever the
// gradient is, NaN too. Constants that stay for a whole run are attributes. No gradient flows through an update.

// update is embedded by update ops: Tensors of one shape with the gradient last, then scalars.
type update struct{}

// isUpdate tells tests that the last input is ok.
func (update) isUpdate() {}

// inferUpdate wants tensors of one shape followed by scalars, and gives outputs of that shape.
func inferUpdate(in []graph.Spec, tensors, outputs int) ([]graph.Spec, error) {
	for i, s := range in {
		switch {
		case s.DType != graph.Float32:
			return nil, fmt.Errorf("wants float32 values, got %v", s.DType)
		case i < tensors && !s.Shape.Equal(in[0].Shape):
			return nil, fmt.Errorf("shapes %v and %v differ", in[0].Shape, s.Shape)
		case i >= tensors && len(s.Shape) > 0:
			return nil, fmt.Errorf("the learning rate and what follows it are scalars, got %v", s.Shape)
		}
	}
	out := make([]graph.Spec, outputs)
	for i := range out {
		out[i] = in[0]
	}
	return out, nil
}

func (update) VJP(n *graph.Node, _ []graph.Value) []graph.Value { return none(len(n.In)) }

// keep returns the old value unless ok.
func keep(ok bool, old, new float64) float64 {
	if ok {
		return new
	}
	return old
}

// scalarOf reads input i, a scalar.
func scalarOf(in []graph.Tensor, i int) float64 { return in[i].Data[0] }

// updates are the usual examples of an update: state inputs (the parameter first), the gradient, then scalars. Inputs in
// positive are moments that are never negative. One example is not ok and has a gradient of NaN.
func updates(o graph.Op, tensors int, positive int, scalars ...float64) []graph.Example {
	of := func(ok float64, dims ...int) graph.Example {
		e := example(o, tensors, -1, 1, dims...)
		if positive >= 0 {
			e.Args[positive].From, e.Args[positive].To = 0.01, 1
		}
		for _, s := range append(append([]float64(nil), scalars...), ok) {
			e.Args = append(e.Args, graph.Arg{Spec: graph.F32(), Values: []float64{float64(float32(s))}})
		}
		e.Chosen = true
		return e
	}
	bad := of(0, 2, 3)
	bad.Args[tensors-1].Values = nans(6)
	return []graph.Example{of(1, 3, 7), of(1, 1), of(1), of(1, 2, 3, 5, 4), of(0, 4, 5), bad, bench(of(1, 400, 784))}
}

func nans(n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = math.NaN()
	}
	return x
}
