package op

import (
	"math"
	"slices"
	"testing"

	"aetrain/graph"
)

// Ops whose gradient is a choice are few, and each is held to its choice below or in update_test.go.
func TestChosenGradients(t *testing.T) {
	var got []string
	for _, o := range All() {
		all := len(o.Examples()) > 0
		for _, e := range o.Examples() {
			all = all && (e.Chosen || e.Bench)
		}
		if all {
			got = append(got, o.Name())
		}
	}
	want := []string{"AdamUpdate", "MomentumUpdate", "RMSPropMomentumUpdate", "RMSPropUpdate", "SGDUpdate", "StopGradient", "StraightThrough"}
	if !slices.Equal(got, want) {
		t.Errorf("all examples of %v are marked Chosen, want %v", got, want)
	}
}

// evaluate computes values for scalar inputs.
func evaluate(t *testing.T, feed map[string]float64, vs ...graph.Value) []float64 {
	t.Helper()
	fed := map[string]graph.Tensor{}
	for name, x := range feed {
		fed[name] = hold(graph.F32(), x)
	}
	ts, err := graph.Evaluate(vs, fed)
	if err != nil {
		t.Fatal(err)
	}
	var out []float64
	for _, x := range ts {
		out = append(out, x.Data[0])
	}
	return out
}

func TestStop(t *testing.T) {
	g := graph.New()
	x := g.Input("x", graph.F32())
	y := Mul(Stop(Square(x)), x) // the gradient sees x² as a constant
	d := graph.Grad(y, x)[0]
	if got := evaluate(t, map[string]float64{"x": 3}, y, d); got[0] != 27 || got[1] != 9 {
		t.Errorf("stop(x²)·x and its gradient at 3 are %v, want 27 and 9", got)
	}
	if d := graph.Grad(Stop(x), x)[0]; d.Valid() {
		t.Error("a gradient flows through Stop")
	}
}

func TestStraightThrough(t *testing.T) {
	g := graph.New()
	x := g.Input("x", graph.F32())
	y := Square(StraightThrough(Round(x), x)) // dy/dx = 2·round(x)
	d := graph.Grad(y, x)[0]
	if got := evaluate(t, map[string]float64{"x": 2.7}, y, d); got[0] != 9 || got[1] != 6 {
		t.Errorf("the square of the rounded 2.7 and its gradient are %v, want 9 and 6", got)
	}
	q := g.Input("q", graph.F32())
	d2 := graph.Grad(StraightThrough(q, x), x, q)
	if d2[1].Valid() || !d2[0].Valid() {
		t.Error("the gradient goes to the second input, and there alone")
	}
}

// Where the gradient is a convention, it is PyTorch's.
func TestGradientsAtKinks(t *testing.T) {
	for _, c := range []struct {
		name string
		f    func(x graph.Value) graph.Value
		x    float64
		want float64
	}{
		{"relu at 0", ReLU, 0, 0},
		{"abs at 0", Abs, 0, 0},
		{"leaky relu at 0", func(x graph.Value) graph.Value { return LeakyReLU(x, 0.1) }, 0, 0.1},
		{"elu at 0", func(x graph.Value) graph.Value { return ELU(x, 0.5) }, 0, 0.5},
		{"clamp at its lower limit", func(x graph.Value) graph.Value { return Clamp(x, -1, 1) }, -1, 1},
		{"clamp at its upper limit", func(x graph.Value) graph.Value { return Clamp(x, -1, 1) }, 1, 1},
		{"maximum of equals", func(x graph.Value) graph.Value { return Maximum(x, x.Graph().Scalar(2)) }, 2, 0.5},
		{"minimum of equals", func(x graph.Value) graph.Value { return Minimum(x, x.Graph().Scalar(2)) }, 2, 0.5},
		{"power 0 at 0", func(x graph.Value) graph.Value { return Pow(x, x.Graph().Scalar(0)) }, 0, 0},
		{"power 2 at 0", func(x graph.Value) graph.Value { return Pow(x, x.Graph().Scalar(2)) }, 0, 0},
		{"power of a negative base", func(x graph.Value) graph.Value { return Pow(x, x.Graph().Scalar(3)) }, -2, 12},
		{"sign", func(x graph.Value) graph.Value { return Add(Sign(x), x) }, 0.5, 1},
	} {
		g := graph.New()
		x := g.Input("x", graph.F32())
		got := evaluate(t, map[string]float64{"x": c.x}, graph.Grad(c.f(x), x)[0])[0]
		if got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// What is not selected leaves no trace, and NaN flowing back does not reach it.
func TestSelectKeepsNaNOut(t *testing.T) {
	nan := math.NaN()
	g := graph.New()
	vector := func(name string) graph.Value { return g.Input(name, graph.F32(2)) }
	a, b, seed := vector("a"), vector("b"), vector("seed")
	y := Select(g.Constant(graph.F32(2), 1, 0), a, b)
	d := graph.VJP([]graph.Value{y}, []graph.Value{seed}, []graph.Value{a, b})
	got, err := graph.Evaluate([]graph.Value{y, d[0], d[1]}, map[string]graph.Tensor{
		"a": hold(graph.F32(2), 1, nan), "b": hold(graph.F32(2), nan, 2), "seed": hold(graph.F32(2), 5, nan),
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "result", got[0], 1, 2)
	same(t, "gradient of a", got[1], 5, 0)
	same(t, "gradient of b", got[2], 0, nan)
}

// Values that are easy to get wrong.
func TestSpecialValues(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		name    string
		f       func(x graph.Value) graph.Value
		x, want float64
	}{
		{"softplus", Softplus, 1000, 1000}, {"softplus", Softplus, -1000, 0}, {"sigmoid", Sigmoid, -1000, 0}, {"sigmoid", Sigmoid, 1000, 1},
		{"relu", ReLU, nan, nan}, {"clamp", func(x graph.Value) graph.Value { return Clamp(x, 0, 1) }, nan, nan},
		{"round", Round, 2.5, 2}, {"round", Round, -1.5, -2}, {"sign", Sign, nan, nan}, {"sign", Sign, -inf, -1},
		{"silu", SiLU, -1000, 0}, {"gelu", GELU, -40, 0}, {"is finite", IsFinite, nan, 0}, {"is finite", IsFinite, -inf, 0},
		{"bce", func(x graph.Value) graph.Value { return BCEWithLogits(x, x.Graph().Scalar(1)) }, -1000, 1000},
		{"bce", func(x graph.Value) graph.Value { return BCEWithLogits(x, x.Graph().Scalar(1)) }, 1000, 0},
		{"maximum", func(x graph.Value) graph.Value { return Maximum(x, x.Graph().Scalar(0)) }, nan, nan},
	} {
		g := graph.New()
		x := g.Input("x", graph.F32())
		got := evaluate(t, map[string]float64{"x": c.x}, c.f(x))[0]
		if got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) && math.Abs(got-c.want) > 1e-300 {
			t.Errorf("%s of %v: got %v, want %v", c.name, c.x, got, c.want)
		}
	}
	rows := hold(graph.F32(2, 3), -inf, 0, math.Log(3), 1e4, 1e4, -inf)
	same(t, "softmax", run(t, softmax{}, rows)[0], 0, 0.25, 0.75, 0.5, 0.5, 0)
	same(t, "logsumexp", run(t, LogSumExpOp{Axis: 1}, rows)[0], math.Log(4), 1e4+math.Ln2)
	same(t, "logsumexp of nothing", run(t, LogSumExpOp{Axis: 0}, hold(graph.F32(2), -inf, -inf))[0], -inf)
	same(t, "argmax", run(t, argMax{}, hold(graph.F32(2, 3), 1, 2, 2, 5, nan, nan))[0], 1, 1)
	same(t, "max", run(t, ReduceMaxOp{Axes: []int{0}}, hold(graph.F32(3), 1, nan, 2))[0], nan)
	same(t, "cast to int32", run(t, CastOp{To: graph.Int32}, hold(graph.F32(4), -1.7, 1.7, nan, 3e9))[0], -1, 1, math.MinInt32, math.MinInt32)
	same(t, "cast to uint8", run(t, CastOp{To: graph.Uint8}, hold(graph.F32(4), -1.7, 1.7, nan, 300))[0], 0, 1, 0, 255)
	same(t, "increment", run(t, increment{}, hold(graph.I32(2), 16777216, math.MaxInt32))[0], 16777217, math.MinInt32)
}

// Ties share the gradient of an extreme evenly.
func TestReduceMaxTies(t *testing.T) {
	g := graph.New()
	x := g.Constant(graph.F32(5), 1, 3, 3, 2, 3)
	got, err := graph.Evaluate(graph.Grad(ReduceMax(x, 0), x), nil)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "gradient", got[0], 0, 1./3, 1./3, 0, 1./3)
}
