//go:build gpu

package gpu_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"aetrain/backend"
	"aetrain/backend/backendtest"
	"aetrain/graph"
	"aetrain/kernels"
	"aetrain/program"
)

// compute runs an op on b, with the candidate named if there is a name, and returns all its outputs.
func compute(t *testing.T, b backend.Backend, candidate string, o graph.Op, in ...graph.Tensor) []graph.Tensor {
	t.Helper()
	g := graph.New()
	args, feed := make([]graph.Value, len(in)), map[string]graph.Tensor{}
	for i, x := range in {
		name := fmt.Sprintf("in%d", i)
		args[i] = g.Input(name, x.Spec)
		feed[name] = x
	}
	vs := g.Apply(o, args...)
	if err := g.Err(); err != nil {
		t.Fatal(err)
	}
	options := backend.Options{Seed: 1, Strict: true}
	if candidate != "" {
		options.Kernels = map[string]string{kernels.ConfigName(o.Name()): candidate}
	}
	return runValues(t, b, options, vs, feed)
}

// runValues compiles and runs values on b.
func runValues(t *testing.T, b backend.Backend, options backend.Options, vs []graph.Value, feed map[string]graph.Tensor) []graph.Tensor {
	t.Helper()
	outs := map[string]graph.Value{}
	for i, v := range vs {
		outs[fmt.Sprintf("out%d", i)] = v
	}
	p, err := program.Compile(vs[0].Graph(), outs, b.Capabilities().Target)
	if err != nil {
		t.Fatal(err)
	}
	exes, err := b.Load(b.NewState(), options, p)
	if err != nil {
		t.Fatal(err)
	}
	exe := exes[0]
	defer exe.Close()
	for _, in := range p.Inputs {
		if in.Spec.Shape.Size() == 0 {
			continue // a host tensor of nothing has no data to point to
		}
		if err := exe.Feed(in.Name, backendtest.Host(feed[in.Name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := exe.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	got := make([]graph.Tensor, len(vs))
	for i, v := range vs {
		got[i] = fetchTensor(t, exe, fmt.Sprintf("out%d", i), v.Spec())
	}
	return got
}

func fetchTensor(t *testing.T, exe backend.Executable, name string, s graph.Spec) graph.Tensor {
	t.Helper()
	if s.Shape.Size() == 0 {
		return graph.NewTensor(s)
	}
	h := backend.NewHost(s)
	if err := exe.Fetch(name, h); err != nil {
		t.Fatal(err)
	}
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

// checkOp compares all outputs of an op with its definition; the tolerance is relative to each output's largest number.
func checkOp(t *testing.T, b backend.Backend, candidate string, tolerance float64, o graph.Op, in ...graph.Tensor) {
	t.Helper()
	got := compute(t, b, candidate, o, in...)
	want := make([]graph.Tensor, len(got))
	for i := range want {
		want[i] = graph.NewTensor(got[i].Spec)
	}
	o.Eval(want, in)
	for i := range want {
		near(t, fmt.Sprintf("output %d", i), got[i].Data, want[i].Data, tolerance)
	}
}

// near compares numbers; NaN and infinities have to agree, and integers are exact with tolerance 0.
func near(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	scale := 1e-3
	for _, x := range want {
		if a := math.Abs(x); a > scale && !math.IsInf(x, 0) {
			scale = a
		}
	}
	for i, w := range want {
		g := got[i]
		if w == g || math.IsNaN(w) && math.IsNaN(g) {
			continue
		}
		if !(math.Abs(g-w) <= tolerance*scale) {
			t.Errorf("%s: element %d of %d is %v, want %v (largest %v)", what, i, len(want), g, w, scale)
			return
		}
	}
}

// drawn is a tensor of float32 numbers from [from, to).
func drawn(seed uint64, from, to float64, dims ...int) graph.Tensor {
	rng := rand.New(rand.NewPCG(seed, 5))
	x := graph.NewTensor(graph.F32(dims...))
	for i := range x.Data {
		x.Data[i] = float64(float32(from + (to-from)*rng.Float64()))
	}
	return x
}

// words is an int32 tensor; a scalar without dims.
func words(data []float64, dims ...int) graph.Tensor {
	return graph.Tensor{Spec: graph.I32(dims...), Data: data}
}

// computeOnly runs an op of which one output is read.
func computeOnly(t *testing.T, b backend.Backend, o graph.Op, output int, in ...graph.Tensor) graph.Tensor {
	t.Helper()
	g := graph.New()
	args, feed := make([]graph.Value, len(in)), map[string]graph.Tensor{}
	for i, x := range in {
		name := fmt.Sprintf("in%d", i)
		args[i] = g.Input(name, x.Spec)
		feed[name] = x
	}
	v := g.Apply(o, args...)[output]
	if err := g.Err(); err != nil {
		t.Fatal(err)
	}
	return runValues(t, b, backend.Options{Seed: 1, Strict: true}, []graph.Value{v}, feed)[0]
}
