package op_test

import (
	"math"
	"testing"

	"aetrain/graph"
	"aetrain/op"
)

// TestNaNWins: an extreme is NaN where one of its elements is, whatever the others are.
func TestNaNWins(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		name string
		of   func(a, b graph.Value) graph.Value
		x, y float64
	}{
		{"maximum", op.Maximum, math.NaN(), inf},
		{"maximum", op.Maximum, inf, math.NaN()},
		{"minimum", op.Minimum, math.NaN(), -inf},
		{"minimum", op.Minimum, -inf, math.NaN()},
		{"largest of a row", func(a, b graph.Value) graph.Value { return op.ReduceMax(op.Concat(0, a, b), 0) }, math.NaN(), inf},
		{"smallest of a row", func(a, b graph.Value) graph.Value { return op.ReduceMin(op.Concat(0, a, b), 0) }, -inf, math.NaN()},
	} {
		g := graph.New()
		v := c.of(g.Input("a", graph.F32(1)), g.Input("b", graph.F32(1)))
		got, err := graph.Evaluate([]graph.Value{v}, map[string]graph.Tensor{
			"a": {Spec: graph.F32(1), Data: []float64{c.x}}, "b": {Spec: graph.F32(1), Data: []float64{c.y}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if x := got[0].Data[0]; !math.IsNaN(x) {
			t.Errorf("%s of %v and %v: got %v, want NaN", c.name, c.x, c.y, x)
		}
	}
}
