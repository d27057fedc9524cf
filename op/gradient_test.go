package op

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"aetrain/graph"
	"aetrain/internal/gradcheck"
)

// gradients is one example as a graph: the loss is the sum of its float32 outputs that have a seed, each times that fed tensor.
type gradients struct {
	example graph.Example
	feed    map[string]graph.Tensor
	wrt     []string // inputs that have a derivative
	seeds   []string // the fed tensors
}

func newGradients(t *testing.T, e graph.Example, seed uint64) *gradients {
	t.Helper()
	c := &gradients{example: e, feed: map[string]graph.Tensor{}}
	specs := make([]graph.Spec, len(e.Args))
	for i, x := range e.Draw(seed) {
		specs[i] = x.Spec
		name := fmt.Sprintf("in%d", i)
		c.feed[name] = x
		if x.DType == graph.Float32 && !e.Args[i].Fixed && len(x.Data) > 0 {
			c.wrt = append(c.wrt, name)
		}
	}
	out, err := e.Op.Infer(specs)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range out {
		if s.DType == graph.Float32 {
			name := fmt.Sprintf("seed%d", i)
			c.seeds = append(c.seeds, name)
			c.draw(name, s, seed)
		}
	}
	return c
}

// draw feeds numbers in [-1, 1) under name.
func (c *gradients) draw(name string, s graph.Spec, seed uint64) {
	arg := graph.Arg{Spec: s, From: -1, To: 1}
	c.feed[name] = graph.Example{Args: []graph.Arg{arg}}.Draw(seed*31 + uint64(len(c.feed)))[0]
}

// build adds the op, its loss, and returns the inputs too. An output without a seed has no part in the loss.
func (c *gradients) build(g *graph.Graph) (loss graph.Value, inputs map[string]graph.Value) {
	inputs = map[string]graph.Value{}
	in := make([]graph.Value, len(c.example.Args))
	for i := range in {
		name := fmt.Sprintf("in%d", i)
		in[i] = g.Input(name, c.feed[name].Spec)
		inputs[name] = in[i]
	}
	var terms []graph.Value
	for i, y := range g.Apply(c.example.Op, in...) {
		if name := fmt.Sprintf("seed%d", i); slices.Contains(c.seeds, name) {
			inputs[name] = g.Input(name, y.Spec())
			terms = append(terms, SumAll(Mul(y, inputs[name])))
		}
	}
	return graph.SumOf(terms...), inputs
}

// second is the loss of second order: the sum of all gradients of the first, each times a fed tensor.
// ok is false where there is no gradient at all.
func (c *gradients) second(g *graph.Graph) (loss graph.Value, ok bool) {
	first, inputs := c.build(g)
	var terms []graph.Value
	for _, name := range c.wrt {
		if d := graph.Grad(first, inputs[name])[0]; d.Valid() {
			terms = append(terms, SumAll(Mul(d, g.Input("second."+name, d.Spec()))))
		}
	}
	return graph.SumOf(terms...), len(terms) > 0
}

// eachExample calls f for all examples of all ops that are not for timing.
func eachExample(t *testing.T, f func(t *testing.T, e graph.Example)) {
	for _, o := range All() {
		t.Run(o.Name(), func(t *testing.T) {
			for i, e := range o.Examples() {
				if !e.Bench {
					t.Run(fmt.Sprint(i), func(t *testing.T) { f(t, e) })
				}
			}
		})
	}
}

// Every op's VJP is its derivative.
func TestGradients(t *testing.T) {
	eachExample(t, func(t *testing.T, e graph.Example) {
		c := newGradients(t, e, 1)
		if e.Chosen || len(c.wrt) == 0 || len(c.seeds) == 0 {
			return
		}
		build := func(g *graph.Graph) graph.Value { loss, _ := c.build(g); return loss }
		gradcheck.Check(t, build, c.feed, gradcheck.Options{Kinked: e.Kinked}, c.wrt...)
	})
}

// The VJP's VJP is the derivative of the gradient, with respect to inputs and to what flows back.
func TestSecondGradients(t *testing.T) {
	eachExample(t, func(t *testing.T, e graph.Example) {
		if c := newGradients(t, e, 2); !e.Chosen && !e.Kinked && len(c.wrt) > 0 && len(c.seeds) > 0 {
			c.checkSecond(t)
		}
	})
}

// checkSecond holds the derivatives of the gradient, if there is one, against differences.
func (c *gradients) checkSecond(t *testing.T) {
	t.Helper()
	for _, name := range c.wrt {
		c.draw("second."+name, c.feed[name].Spec, 3)
	}
	if _, ok := c.second(graph.New()); !ok {
		return
	}
	build := func(g *graph.Graph) graph.Value { loss, _ := c.second(g); return loss }
	gradcheck.Check(t, build, c.feed, gradcheck.Options{}, append(c.wrt, c.seeds...)...)
}

// An expansion is the op in smaller ones: the same values, the same gradients.
func TestExpansions(t *testing.T) {
	tested := 0
	eachExample(t, func(t *testing.T, e graph.Example) {
		o, ok := e.Op.(graph.Expander)
		if !ok {
			return
		}
		tested++
		c := newGradients(t, e, 4)
		g := graph.New()
		in, dOut, wrt := make([]graph.Value, len(e.Args)), []graph.Value{}, []graph.Value{}
		for i := range in {
			name := fmt.Sprintf("in%d", i)
			in[i] = g.Input(name, c.feed[name].Spec)
		}
		for _, name := range c.wrt {
			wrt = append(wrt, g.Input(name, c.feed[name].Spec))
		}
		whole := g.Apply(e.Op, in...)
		parts := o.Expand(whole[0].Node)
		if len(parts) != len(whole) {
			t.Fatalf("%d outputs, its expansion has %d", len(whole), len(parts))
		}
		for i, y := range whole {
			d := graph.Value{}
			if y.Spec().DType == graph.Float32 {
				d = g.Input(fmt.Sprintf("seed%d", i), y.Spec())
			}
			dOut = append(dOut, d)
		}
		sameValues(t, "output", c.feed, whole, parts)
		d := graph.VJP(whole, dOut, wrt)
		sameValues(t, "gradient", c.feed, d, graph.VJP(parts, dOut, wrt))
		generic := expandVJP(whole[0].Node, dOut)
		for i, v := range generic {
			if v.Valid() && !v.Spec().Equal(in[i].Spec()) {
				t.Errorf("gradient %d is %v for an input of %v", i, v.Spec(), in[i].Spec())
			}
		}
	})
	if tested == 0 {
		t.Error("no op has an expansion")
	}
}

func sameValues(t *testing.T, what string, feed map[string]graph.Tensor, a, b []graph.Value) {
	t.Helper()
	for i := range a {
		if a[i].Valid() != b[i].Valid() {
			t.Errorf("%s %d: one of both has none", what, i)
		}
		if !a[i].Valid() || !b[i].Valid() {
			continue
		}
		if !a[i].Spec().Equal(b[i].Spec()) {
			t.Errorf("%s %d is %v and %v", what, i, a[i].Spec(), b[i].Spec())
			continue
		}
		got, err := graph.Evaluate([]graph.Value{a[i], b[i]}, feed)
		if err != nil {
			t.Fatal(err)
		}
		for j, x := range got[0].Data {
			if y := got[1].Data[j]; !(math.Abs(x-y) <= 1e-9*math.Max(1, math.Abs(x))) {
				t.Errorf("%s %d, element %d: %.12g and %.12g", what, i, j, x, y)
			}
		}
	}
}
