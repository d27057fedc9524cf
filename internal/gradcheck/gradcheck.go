// Package gradcheck holds gradients against differences of the float64 reference, in tests.
//
// [Check] is the one to call: it builds a loss, differentiates it by [graph.Grad], and differences what [graph.Evaluate] makes
// of it. A second derivative is checked by a loss that contains a gradient. [Compare] is the comparison alone.
package gradcheck

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"aetrain/graph"
)

// Options are limits and steps; the zero value stands for the usual ones.
type Options struct {
	// Tolerance is the relative error allowed, 1e-6 by default.
	Tolerance float64
	// Kinked takes tiny steps: the function has kinks, which the points must not be within 1e-6 of.
	Kinked bool
	// Every is the size up to which each element is differenced; above it random directions are. 24 by default.
	Every int
	// Directions is their number, 3 by default.
	Directions int
	// Seed draws the directions.
	Seed uint64
}

func (o Options) usual() Options {
	if o.Tolerance == 0 {
		o.Tolerance = 1e-6
	}
	if o.Every == 0 {
		o.Every = 24
	}
	if o.Directions == 0 {
		o.Directions = 3
	}
	return o
}

// Check compares the gradient of the scalar that build returns with differences, for every float32 input and state named in
// wrt; without names for all of feed that are float32. feed holds all inputs, and states that do not start as their Init says.
func Check(t testing.TB, build func(g *graph.Graph) graph.Value, feed map[string]graph.Tensor, o Options, wrt ...string) {
	t.Helper()
	g := graph.New()
	loss := build(g)
	if len(wrt) == 0 {
		for name, x := range feed {
			if x.DType == graph.Float32 {
				wrt = append(wrt, name)
			}
		}
		slices.Sort(wrt)
	}
	var values []graph.Value
	for _, name := range wrt {
		v, ok := find(g, name)
		if !ok {
			t.Fatalf("gradcheck: the graph has no input and no state %s", name)
		}
		values = append(values, v)
	}
	grads := graph.Grad(loss, values...)
	if err := g.Err(); err != nil {
		t.Fatalf("gradcheck: %v", err)
	}
	fed := copyOf(t, feed, wrt, values)
	f := func() float64 { return evaluate(t, fed, loss)[0].Data[0] }
	for i, name := range wrt {
		want := make([]float64, len(fed[name].Data)) // no gradient: all differences are 0
		if grads[i].Valid() {
			want = evaluate(t, fed, grads[i])[0].Data
		}
		Compare(t, name, f, fed[name].Data, want, o)
	}
}

func find(g *graph.Graph, name string) (graph.Value, bool) {
	if st := g.Lookup(name); st != nil {
		return st.Leaf, true
	}
	for _, n := range g.Inputs() {
		if n.Op.(graph.Input).Label == name {
			return n.Value(0), true
		}
	}
	return graph.Value{}, false
}

// copyOf copies feed and adds the states of wrt that it lacks.
func copyOf(t testing.TB, feed map[string]graph.Tensor, wrt []string, values []graph.Value) map[string]graph.Tensor {
	fed := map[string]graph.Tensor{}
	for name, x := range feed {
		fed[name] = graph.Tensor{Spec: x.Spec, Data: slices.Clone(x.Data)}
	}
	for i, name := range wrt {
		if _, ok := fed[name]; !ok {
			x := evaluate(t, fed, values[i])[0]
			fed[name] = graph.Tensor{Spec: x.Spec, Data: slices.Clone(x.Data)}
		}
	}
	return fed
}

func evaluate(t testing.TB, feed map[string]graph.Tensor, v ...graph.Value) []graph.Tensor {
	t.Helper()
	out, err := graph.Evaluate(v, feed)
	if err != nil {
		t.Fatalf("gradcheck: %v", err)
	}
	return out
}

// Compare holds grad against differences of f, which reads x: each element of small x, random directions of larger ones.
// x is changed on the way and holds its old numbers in the end.
func Compare(t testing.TB, what string, f func() float64, x, grad []float64, o Options) {
	t.Helper()
	o = o.usual()
	start := slices.Clone(x)
	level := 1e-9 * math.Max(1, math.Abs(f())) // what rounding in f may do to a difference
	test := func(name string, direction []float64) {
		t.Helper()
		want := 0.0
		for i, d := range direction {
			want += d * grad[i]
		}
		got := slope(f, x, start, direction, o.Kinked)
		if !(math.Abs(got-want) <= o.Tolerance*math.Max(math.Abs(got), math.Abs(want))+level) { // NaN fails
			t.Errorf("%s: gradient %.12g, differences say %.12g (relative error %.2g)", name, want, got,
				math.Abs(got-want)/math.Max(math.Abs(got), math.Abs(want)))
		}
	}
	direction := make([]float64, len(x))
	if len(x) <= o.Every {
		for i := range x {
			direction[i] = 1
			test(fmt.Sprintf("%s[%d]", what, i), direction)
			direction[i] = 0
		}
		return
	}
	rng := rand.New(rand.NewPCG(o.Seed, 1))
	for k := range o.Directions {
		for i := range direction {
			direction[i] = 2*rng.Float64() - 1
		}
		test(fmt.Sprintf("%s, direction %d", what, k), direction)
	}
}

// slope is the derivative of f at start along direction: a central difference and, where f is smooth, Richardson's
// extrapolation from two steps, whose error is of the fourth order in the step.
func slope(f func() float64, x, start, direction []float64, kinked bool) float64 {
	at := func(h float64) float64 {
		for i, d := range direction {
			x[i] = start[i] + h*d
		}
		return f()
	}
	defer copy(x, start)
	central := func(h float64) float64 { return (at(h) - at(-h)) / (2 * h) }
	if kinked {
		return central(1e-6)
	}
	const h = 2e-3
	return (4*central(h/2) - central(h)) / 3
}
