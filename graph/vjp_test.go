package graph_test

import (
	"math"
	"testing"

	"aetrain/graph"
	"aetrain/op"
)

// Gradients meet where a value is used more than once.
func TestGradOfSharedValues(t *testing.T) {
	g := graph.New()
	x := g.Input("x", graph.F32())
	s := op.Square(x)                    // used three times
	y := op.Add(op.Mul(s, s), op.Exp(s)) // x⁴ + exp(x²)
	d := graph.Grad(y, x)[0]
	got := evaluate(t, feed{"x": scalar(0.5)}, d)
	wantNumbers(t, "derivative", got[0], 4*math.Pow(0.5, 3)+2*0.5*math.Exp(0.25))
}

// Nothing is kept on nodes: any number of losses over one value each have their own gradient.
func TestTwoLosses(t *testing.T) {
	g := graph.New()
	x, w := g.Constant(graph.F32(3), 1, 2, 3), g.Input("w", graph.F32(3))
	y := op.Mul(x, w)
	first := graph.Grad(op.SumAll(y), w)[0]
	second := graph.Grad(op.SumAll(op.Square(y)), w)[0]
	again := graph.Grad(op.SumAll(y), w)[0]
	got := evaluate(t, feed{"w": vector(1, 1, 1)}, first, second, again)
	wantNumbers(t, "first", got[0], 1, 2, 3)
	wantNumbers(t, "second", got[1], 2, 8, 18)
	wantNumbers(t, "first again", got[2], 1, 2, 3)
}

func TestHigherOrders(t *testing.T) {
	g := graph.New()
	x := g.Input("x", graph.F32())
	d := op.Sin(x)
	var all []graph.Value
	for range 5 {
		d = graph.Grad(d, x)[0]
		all = append(all, d)
	}
	got := evaluate(t, feed{"x": scalar(0.7)}, all...)
	s, c := math.Sincos(0.7)
	for i, want := range []float64{c, -s, -c, s, c} {
		wantNumbers(t, "derivative", got[i], want)
	}
}

// The penalty on a gradient's norm, as in WGAN-GP: d/dw of ‖d(tanh(w·x))/dx‖².
func TestGradientOfGradient(t *testing.T) {
	g := graph.New()
	x, w := g.Input("x", graph.F32()), g.Input("w", graph.F32())
	dx := graph.Grad(op.Tanh(op.Mul(x, w)), x)[0]
	dw := graph.Grad(op.Square(dx), w)[0]
	got := evaluate(t, feed{"x": scalar(0.3), "w": scalar(0.8)}, dw)
	// p(w) = w²(1-u²)² with u = tanh(wx), du/dw = x(1-u²)
	u := math.Tanh(0.24)
	want := 2*0.8*math.Pow(1-u*u, 2) - 4*0.64*(1-u*u)*u*0.3*(1-u*u)
	wantNumbers(t, "derivative of the penalty", got[0], want)
}

// wrt may hold inputs, values in between and the loss itself; each gets its total derivative, and none where there is none.
func TestWithRespectToAnything(t *testing.T) {
	g := graph.New()
	x, other := g.Input("x", graph.F32()), g.Input("other", graph.F32())
	s := op.Square(x)
	y := op.Mul(s, op.Scale(x, 2)) // 2x³
	d := graph.Grad(y, x, s, y, other)
	if d[3].Valid() {
		t.Error("what the loss does not depend on has a gradient")
	}
	got := evaluate(t, feed{"x": scalar(3)}, d[0], d[1], d[2])
	wantNumbers(t, "x", got[0], 54)
	wantNumbers(t, "x²", got[1], 6)
	wantNumbers(t, "y", got[2], 1)
}

// Several seeded values at once are the sum of their products; zero Values are passed over.
func TestVJPOfSeveralValues(t *testing.T) {
	g := graph.New()
	x := g.Input("x", graph.F32(2))
	y, z := op.Square(x), op.Exp(x)
	d := graph.VJP([]graph.Value{{}, y, z, x}, []graph.Value{g.Scalar(1), g.Constant(graph.F32(2), 1, 10), g.Constant(graph.F32(2), 2, 0), {}}, []graph.Value{x})
	got := evaluate(t, feed{"x": vector(3, 4)}, d[0])
	wantNumbers(t, "product", got[0], 6+2*math.Exp(3), 80)
	if d := graph.VJP(nil, nil, []graph.Value{x}); d[0].Valid() {
		t.Error("nothing has a gradient")
	}
}

// An assigned state is a value like any other: the gradient with respect to what it held at the step's start goes through it.
func TestGradThroughAssignedState(t *testing.T) {
	g := graph.New()
	w := g.State(graph.Param, "w", graph.F32(), nil)
	g.Assign(w, op.Scale(w, 3))
	now := g.State(graph.Param, "w", graph.F32(), nil)
	d := graph.Grad(op.Square(now), w, now)
	got := evaluate(t, feed{"w": scalar(2)}, d[0], d[1])
	wantNumbers(t, "the old value", got[0], 36)
	wantNumbers(t, "the new value", got[1], 12)
}

// Gradient nodes carry the path of the layer that they belong to.
func TestGradientPaths(t *testing.T) {
	g := graph.New()
	x := g.Input("x", graph.F32())
	leave := g.Enter("encoder.0")
	y := op.Tanh(x)
	leave()
	before := len(g.Nodes())
	leave = g.Enter("optimizer")
	graph.Grad(op.Square(y), x)
	if g.Path() != "optimizer" {
		t.Errorf("the path is %q afterwards", g.Path())
	}
	leave()
	found := false
	for _, n := range g.Nodes()[before:] {
		found = found || n.Op.Name() == "TanhGrad" && n.Path == "encoder.0"
	}
	if !found {
		t.Error("the gradient of tanh is not in encoder.0")
	}
}

// Integers take no part in gradients and do not stop them.
func TestIntegersAmongInputs(t *testing.T) {
	g := graph.New()
	x, index := g.Input("x", graph.F32(3, 2)), g.Input("index", graph.I32(2))
	y := op.SumAll(op.Square(op.Gather(x, index)))
	d := graph.Grad(y, x, index)
	if d[1].Valid() {
		t.Error("an index has a gradient")
	}
	got := evaluate(t, feed{
		"x":     {Spec: graph.F32(3, 2), Data: []float64{1, 2, 3, 4, 5, 6}},
		"index": {Spec: graph.I32(2), Data: []float64{2, 2}},
	}, d[0])
	wantNumbers(t, "gradient", got[0], 0, 0, 0, 0, 20, 24)
}
