package gradcheck

import (
	"fmt"
	"math"
	"testing"

	"aetrain/graph"
	"aetrain/op"
)

// recorder takes what Compare says instead of the test.
type recorder struct {
	testing.TB
	said []string
}

func (*recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.said = append(r.said, fmt.Sprintf(format, args...))
}

func TestCompareSeesErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		size   int
		change float64 // of one element of the gradient, relative
		want   bool    // an error
	}{
		{"right", 5, 0, false}, {"right, by directions", 100, 0, false},
		{"off by 1e-5", 5, 1e-5, true}, {"off by 1e-8", 5, 1e-8, false},
		{"off by 1e-2, by directions", 100, 1e-2, true}, {"NaN", 5, math.NaN(), true},
	} {
		x, grad := make([]float64, c.size), make([]float64, c.size)
		for i := range x {
			x[i] = 0.5 + float64(i)/float64(c.size)
			grad[i] = math.Exp(x[i])
		}
		grad[2] *= 1 + c.change
		f := func() (sum float64) {
			for _, v := range x {
				sum += math.Exp(v)
			}
			return sum
		}
		r := &recorder{TB: t}
		Compare(r, "x", f, x, grad, Options{})
		if got := len(r.said) > 0; got != c.want {
			t.Errorf("%s: it said %q", c.name, r.said)
		}
		if x[0] != 0.5 {
			t.Errorf("%s: x is not what it was", c.name)
		}
	}
}

// A loss that contains a gradient checks second derivatives; a state takes part under its name.
func TestCheckGradientPenalty(t *testing.T) {
	build := func(g *graph.Graph) graph.Value {
		x := g.Input("x", graph.F32(3, 2))
		w := g.State(graph.Param, "w", graph.F32(2, 1), nil)
		y := op.SumAll(op.Tanh(op.MatMul(x, w, false, false)))
		return op.SumAll(op.Square(graph.Grad(y, x)[0]))
	}
	Check(t, build, map[string]graph.Tensor{
		"x": {Spec: graph.F32(3, 2), Data: []float64{1, -0.5, 0.3, 0.8, -1.2, 0.1}},
		"w": {Spec: graph.F32(2, 1), Data: []float64{0.7, -0.4}},
	}, Options{})
}
