// Package backendtest is the suite that every backend passes by one call of [Run]: every registered op's examples and randomly
// drawn shapes against the float64 definition, fused chains, states, several programs over one State, loops over Scratch.
package backendtest

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"testing"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/graph"
	"aetrain/op"
	"aetrain/program"
)

// Tolerance is the relative error allowed to float32 kernels, measured against the largest element of each output: some
// thousand float32 additions in any order stay below it. Examples with another tolerance say so themselves.
const Tolerance = 2e-5

// Run runs the suite on the backend that open returns.
func Run(t *testing.T, open func() (backend.Backend, error), opts ...Option) {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	b, err := open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	t.Run("ops", func(t *testing.T) { examples(t, b) })
	t.Run("shapes", func(t *testing.T) { drawnShapes(t, b); moreShapes(t, b) })
	t.Run("chains", func(t *testing.T) { drawnGraphs(t, b) })
	t.Run("programs", func(t *testing.T) { randomPrograms(t, b) })
	t.Run("states", func(t *testing.T) { states(t, b) })
	t.Run("contracts", func(t *testing.T) { contracts(t, b) })
	t.Run("errors", func(t *testing.T) { errors(t, b) })
	if o.candidates != nil {
		t.Run("candidates", func(t *testing.T) { candidates(t, b, o.candidates) })
	}
	if o.strict {
		t.Run("strict", func(t *testing.T) { strict(t, b) })
	}
}

// examples checks every example of every op.
func examples(t *testing.T, b backend.Backend) {
	for _, o := range op.All() {
		for i, e := range o.Examples() {
			if e.Bench {
				continue
			}
			t.Run(fmt.Sprintf("%s/%d", o.Name(), i), func(t *testing.T) { check(t, b, e, uint64(i)) })
		}
	}
}

// check compiles one example and compares all outputs with the definition.
func check(t *testing.T, b backend.Backend, e graph.Example, seed uint64) {
	t.Helper()
	in := e.Draw(seed)
	g := graph.New()
	args, feed := make([]graph.Value, len(in)), map[string]graph.Tensor{}
	for i, x := range in {
		name := fmt.Sprintf("in%d", i)
		args[i] = g.Input(name, x.Spec)
		feed[name] = x
	}
	vs := g.Apply(e.Op, args...)
	if err := g.Err(); err != nil {
		t.Fatal(err)
	}
	compare(t, b, g, vs, feed, e.Tolerance, func(i int) float64 {
		return max(leastScale, rounding(t, g, vs, feed)[i]*graphNoise/cmp.Or(e.Tolerance, Tolerance))
	})
}

// compare runs values on b and by Evaluate; see [closeTo], whose least is by the value's number and asked for where it matters.
func compare(t *testing.T, b backend.Backend, g *graph.Graph, vs []graph.Value, feed map[string]graph.Tensor, tolerance float64, least func(i int) float64) {
	t.Helper()
	want, err := graph.Evaluate(vs, feed)
	if err != nil {
		t.Fatal(err)
	}
	outs := map[string]graph.Value{}
	for i, v := range vs {
		outs[fmt.Sprintf("out%d", i)] = v
	}
	p, err := program.Compile(g, outs, b.Capabilities().Target)
	if err != nil {
		t.Fatal(err)
	}
	exe := load(t, b, b.NewState(), p)
	feedAll(t, exe, feed)
	if err := exe.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for i := range vs {
		got := fetch(t, exe, fmt.Sprintf("out%d", i), vs[i].Spec())
		if closeTo(got, want[i], tolerance, 0) == nil {
			continue
		}
		if err := closeTo(got, want[i], tolerance, least(i)); err != nil {
			t.Errorf("output %d of %v: %v\n%v", i, vs[i].Node.Op, err, p)
		}
	}
}

func load(t *testing.T, b backend.Backend, st backend.State, ps ...*program.Program) backend.Executable {
	t.Helper()
	exes, err := b.Load(st, backend.Options{Seed: 1}, ps...)
	if err != nil {
		t.Fatal(err)
	}
	return exes[0]
}

func feedAll(t *testing.T, exe backend.Executable, feed map[string]graph.Tensor) {
	t.Helper()
	for _, in := range exe.Program().Inputs {
		if err := exe.Feed(in.Name, Host(feed[in.Name])); err != nil {
			t.Fatal(err)
		}
	}
}

// Host makes a host tensor of a reference one.
func Host(x graph.Tensor) *tensor.Dense {
	t := backend.NewHost(x.Spec)
	switch d := t.Data().(type) {
	case []float32:
		for i, v := range x.Data {
			d[i] = float32(v)
		}
	case []int32:
		for i, v := range x.Data {
			d[i] = int32(v)
		}
	case []uint8:
		for i, v := range x.Data {
			d[i] = uint8(v)
		}
	}
	return t
}

// fetch returns an output as a reference tensor.
func fetch(t *testing.T, exe backend.Executable, name string, s graph.Spec) graph.Tensor {
	t.Helper()
	h := backend.NewHost(s)
	if err := exe.Fetch(name, h); err != nil {
		t.Fatal(err)
	}
	return reference(h, s)
}

func reference(h *tensor.Dense, s graph.Spec) graph.Tensor {
	x := graph.NewTensor(s)
	for i := range x.Data {
		switch d := h.Data().(type) {
		case []float32:
			x.Data[i] = float64(d[i])
		case []int32:
			x.Data[i] = float64(d[i])
		case []uint8:
			x.Data[i] = float64(d[i])
		}
	}
	return x
}

// leastScale is the magnitude that results of single ops are taken to have at least.
const leastScale = 1e-3

// close is closeTo with that.
func close(got, want graph.Tensor, tolerance float64) error {
	return closeTo(got, want, tolerance, leastScale)
}

// closeTo compares by the largest magnitude of want, which counts as least where it is smaller; integers exactly; NaN and infinities
// must agree.
func closeTo(got, want graph.Tensor, tolerance, least float64) error {
	if tolerance == 0 {
		tolerance = Tolerance
	}
	scale := least
	for _, x := range want.Data {
		if a := math.Abs(x); a > scale && !math.IsInf(x, 0) {
			scale = a
		}
	}
	for i, w := range want.Data {
		g := got.Data[i]
		switch {
		case math.IsNaN(w) && math.IsNaN(g), w == g:
			continue
		case want.DType != graph.Float32, math.IsNaN(w) || math.IsNaN(g), math.Abs(g-w) > tolerance*scale:
			return fmt.Errorf("element %d of %v is %v, want %v (largest %v)", i, want.Spec, g, w, scale)
		}
	}
	return nil
}
