package graph_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"aetrain/graph"
	"aetrain/op"
)

// feed is a shorthand for fed tensors.
type feed = map[string]graph.Tensor

func vector(x ...float64) graph.Tensor { return graph.Tensor{Spec: graph.F32(len(x)), Data: x} }
func scalar(x float64) graph.Tensor    { return graph.Tensor{Spec: graph.F32(), Data: []float64{x}} }

// evaluate returns the numbers of each value.
func evaluate(t *testing.T, fed feed, vs ...graph.Value) [][]float64 {
	t.Helper()
	ts, err := graph.Evaluate(vs, fed)
	if err != nil {
		t.Fatal(err)
	}
	out := make([][]float64, len(ts))
	for i, x := range ts {
		out[i] = x.Data
	}
	return out
}

func wantNumbers(t *testing.T, what string, got []float64, want ...float64) {
	t.Helper()
	ok := len(got) == len(want)
	for i := range want {
		ok = ok && math.Abs(got[i]-want[i]) <= 1e-12*math.Max(1, math.Abs(want[i]))
	}
	if !ok {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// The first error stays, with what came, the layer's path and the line of the program that caused it.
func TestFirstErrorIsKept(t *testing.T) {
	g := graph.New()
	x, w := g.Input("x", graph.F32(4, 3)), g.Input("w", graph.F32(5, 2))
	leave := g.Enter("encoder")
	leaveLayer := g.Enter("0")
	y := op.MatMul(x, w, false, false)
	leaveLayer()
	leave()
	z := op.Add(op.Tanh(y), op.Concat(7, y, x)) // more of them change nothing
	g.Fail(errors.New("another"))
	err := g.Err()
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range []string{"MatMul", "inner sizes 3 and 5 differ", "a 4x3", "b 5x2", "encoder.0, built at graph_test.go:"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error %q lacks %q", err, part)
		}
	}
	if z.Graph() != g {
		t.Error("what follows an error belongs to no graph")
	}
	if _, err := graph.Evaluate([]graph.Value{z}, nil); err != g.Err() {
		t.Errorf("evaluating it says %v", err)
	}
	if d := graph.Grad(z, x); d[0].Valid() {
		t.Error("it has a gradient")
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name  string
		build func(g *graph.Graph)
		want  string
	}{
		{"a missing operand", func(g *graph.Graph) { g.Apply(graph.Sum{}, g.Scalar(1), graph.Value{}) }, "Sum: input 1 is missing"},
		{"an operand of another graph", func(g *graph.Graph) { g.Apply(graph.Sum{}, g.Scalar(1), graph.New().Scalar(1)) }, "input 1 belongs to another graph"},
		{"an input that changes", func(g *graph.Graph) { g.Input("x", graph.F32(2)); g.Input("x", graph.F32(3)) }, "input x is 3 here and was 2 before"},
		{"a state that changes shape", func(g *graph.Graph) {
			g.State(graph.Param, "w", graph.F32(2), nil)
			g.State(graph.Param, "w", graph.F32(3), nil)
		}, "state w is a param 3 here and was a param 2 before"},
		{"a state that changes kind", func(g *graph.Graph) {
			g.State(graph.Param, "w", graph.F32(2), nil)
			g.State(graph.Buffer, "w", graph.F32(2), nil)
		}, "state w is a buffer 2 here and was a param 2 before"},
		{"assigning what is no state", func(g *graph.Graph) { g.Assign(g.Scalar(1), g.Scalar(2)) }, "the first argument is no state"},
		{"assigning another shape", func(g *graph.Graph) {
			g.Assign(g.State(graph.Buffer, "m", graph.F32(2), nil), g.Constant(graph.F32(3), 0))
		}, "state m is 2, assigned 3"},
		{"assigning nothing to a scalar", func(g *graph.Graph) {
			g.Assign(g.State(graph.Buffer, "m", graph.F32(), nil), graph.Value{})
		}, "what state m is assigned is no value of the graph"},
		{"a constant of too few numbers", func(g *graph.Graph) { g.Constant(graph.F32(3), 1, 2) }, "2 numbers for 3"},
		{"the gradient of a vector", func(g *graph.Graph) { x := g.Input("x", graph.F32(3)); graph.Grad(x, x) }, "a gradient wants a scalar loss, this one is 3"},
		{"a seed of another shape", func(g *graph.Graph) {
			x := g.Input("x", graph.F32(3))
			graph.VJP([]graph.Value{x}, []graph.Value{g.Scalar(1)}, []graph.Value{x})
		}, "the seed of a value of 3 is scalar"},
	} {
		g := graph.New()
		c.build(g)
		if err := g.Err(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

// A name stands for one input and one state, however often it is asked for.
func TestNames(t *testing.T) {
	g := graph.New()
	x := g.Input("x", graph.F32(2))
	if g.Input("x", graph.F32(2)) != x || len(g.Inputs()) != 1 {
		t.Error("one input is two")
	}
	w := g.State(graph.Param, "w", graph.F32(2), nil)
	if g.State(graph.Param, "w", graph.F32(2), nil) != w || len(g.States()) != 1 || g.Lookup("w").Leaf != w || g.Lookup("v") != nil {
		t.Error("one state is two")
	}
}

// Later reads see what was assigned; each state keeps to itself, whatever the others hold.
func TestAssign(t *testing.T) {
	g := graph.New()
	read := func(name string) graph.Value { return g.State(graph.Buffer, name, graph.F32(), nil) }
	now := func(name string) graph.Value { return g.Lookup(name).Now }
	a := read("a")
	g.Assign(a, op.AddConst(a, 1)) // a = 3 + 1
	if read("a") == a {
		t.Error("a read after the assignment sees the old value")
	}
	g.Assign(read("a"), op.Scale(read("a"), 10)) // 40
	g.Assign(a, op.AddConst(read("a"), 2))       // 42: the leaf names the state as well
	b := read("b")
	g.Assign(b, read("a"))                 // a copy: 42
	g.Assign(read("b"), op.AddConst(b, 1)) // 5 + 1: b it is that is assigned, not a
	c, d := read("c"), read("d")           // 7 and 8 change places
	g.Assign(c, d)
	g.Assign(d, c)
	x := op.Square(c)
	e, f := read("e"), read("f") // two states hold one value, then one of them another
	g.Assign(e, x)
	g.Assign(f, x)
	g.Assign(read("f"), op.Neg(read("f")))
	fed := feed{"a": scalar(3), "b": scalar(5), "c": scalar(7), "d": scalar(8)}
	got := evaluate(t, fed, now("a"), now("b"), now("c"), now("d"), now("e"), now("f"))
	for i, want := range []float64{42, 6, 8, 7, 49, -49} {
		wantNumbers(t, string(rune('a'+i)), got[i], want)
	}
	if err := g.Err(); err != nil {
		t.Error(err)
	}
}

// Two draws of one stream would be the same numbers; their paths tell them apart.
func TestStreams(t *testing.T) {
	g := graph.New()
	first := g.Stream("noise")
	leave := g.Enter("encoder")
	if g.Stream("noise") == first || g.Err() != nil {
		t.Errorf("the paths noise and encoder.noise share a stream (%v)", g.Err())
	}
	leave()
	g.Stream("encoder.noise")
	if err := g.Err(); err == nil || !strings.Contains(err.Error(), "encoder.noise and encoder.noise would draw the same numbers") {
		t.Errorf("got %v", err)
	}
}

func TestPaths(t *testing.T) {
	g := graph.New()
	leave := g.Enter("encoder")
	inner := g.Enter("0")
	x := g.Scalar(1)
	inner()
	y := g.Scalar(2)
	leave()
	if x.Node.Path != "encoder.0" || y.Node.Path != "encoder" || g.Path() != "" {
		t.Errorf("paths are %q, %q and %q", x.Node.Path, y.Node.Path, g.Path())
	}
}

func TestEvaluate(t *testing.T) {
	g := graph.New()
	x := g.Input("x", graph.F32(2))
	w := g.State(graph.Param, "w", graph.F32(2), func(seed uint64, name string, t graph.Tensor) { t.Data[0], t.Data[1] = 3, float64(seed) })
	zero := g.State(graph.Param, "b", graph.F32(2), nil)
	got := evaluate(t, feed{"x": vector(1, 2)}, graph.SumOf(x, w, zero), graph.SumOf(x))
	wantNumbers(t, "x + w + b", got[0], 4, 2)
	wantNumbers(t, "a sum of one", got[1], 1, 2)
	for name, fed := range map[string]feed{
		"x: nothing": {}, "x: another shape": {"x": vector(1, 2, 3)}, "x: too few numbers": {"x": {Spec: graph.F32(2), Data: []float64{1}}},
		"w: another shape": {"x": vector(1, 2), "w": scalar(1)},
	} {
		if _, err := graph.Evaluate([]graph.Value{graph.SumOf(x, w)}, fed); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if _, err := graph.Evaluate([]graph.Value{{}}, nil); err == nil {
		t.Error("nothing evaluates")
	}
}

func TestConstants(t *testing.T) {
	a, b := graph.Constant{Spec: graph.F32(2), Data: []float64{1, 2}}, graph.Constant{Spec: graph.F32(2), Data: []float64{2, 2}}
	if a.Key() == b.Key() {
		t.Error("two constants have one key")
	}
	if _, ok := a.Fill(); ok {
		t.Error("1 2 is taken for one number")
	}
	if x, ok := b.Fill(); !ok || x != 2 {
		t.Errorf("2 2 is %v, %v", x, ok)
	}
}

func TestSpecs(t *testing.T) {
	for _, c := range []struct {
		spec  graph.Spec
		text  string
		bytes int
	}{
		{graph.F32(), "scalar", 4}, {graph.F32(128, 1, 28, 28), "128x1x28x28", 401408}, {graph.I32(2), "2 int32", 8},
		{graph.U8(3, 0), "3x0 uint8", 0}, {graph.U8(5), "5 uint8", 5},
	} {
		if c.spec.String() != c.text || c.spec.Bytes() != c.bytes {
			t.Errorf("%#v is %q of %d bytes, want %q of %d", c.spec, c.spec, c.spec.Bytes(), c.text, c.bytes)
		}
	}
	if graph.F32(2).Equal(graph.I32(2)) || graph.F32(2).Equal(graph.F32(2, 1)) || !graph.F32().Equal(graph.Spec{}) {
		t.Error("Equal")
	}
}
