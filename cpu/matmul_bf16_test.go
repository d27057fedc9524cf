package cpu_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"aetrain/backend"
	"aetrain/cpu"
	"aetrain/cpu/cpuinfo"
	"aetrain/graph"
	"aetrain/op"
	"aetrain/program"
)

// TestBF16 trains the same network in float32 and in bfloat16, by vectors and by tiles, on one thread and on several: the loss stays
// within a hundredth of float32's at every step, products are rounded, and the bits do not depend on the threads.
func TestBF16(t *testing.T) {
	exact := losses(t, "float32", 2, cpu.BF16())
	var before []float64
	for name, way := range map[string]cpu.Option{"pairs": cpu.BF16(), "tiles": cpu.AMX()} {
		rounded := losses(t, "bf16", 2, way)
		if alone := losses(t, "bf16", 1, way); !slices.Equal(alone, rounded) {
			t.Errorf("%s: one thread gives other bits than two", name)
		}
		if slices.Equal(exact, rounded) || slices.Equal(before, rounded) {
			t.Errorf("%s: nothing is rounded, or as with the others", name)
		}
		worst := 0.0
		for i, want := range exact {
			worst = max(worst, math.Abs(rounded[i]/want-1))
		}
		t.Logf("%s: the loss goes from %.4f to %.4f, in float32 to %.4f; apart by %.4f at most", name, exact[0], rounded[len(rounded)-1], exact[len(exact)-1], worst)
		if worst > 0.01 {
			t.Errorf("%s: the losses come apart by %.3f", name, worst)
		}
		if last := rounded[len(rounded)-1]; last > exact[0]/4 {
			t.Errorf("%s: the loss has come from %v to %v only", name, exact[0], last)
		}
		before = rounded
	}
}

// losses trains an autoencoder with a dense layer each way for some steps.
func losses(t *testing.T, precision string, threads int, way cpu.Option) []float64 {
	t.Helper()
	b, err := cpu.Open(cpu.Threads(threads), way)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	const n, d, h = 33, 21, 17
	g, rng := graph.New(), rand.New(rand.NewPCG(4, 4))
	x := g.Input("x", graph.F32(n, d))
	w, v := g.State(graph.Param, "w", graph.F32(h, d), nil), g.State(graph.Param, "v", graph.F32(d, h), nil)
	loss := op.MSE(op.MatMul(op.Tanh(op.MatMul(x, w, false, true)), v, false, true), x)
	for i, dw := range graph.Grad(loss, w, v) {
		s := []graph.Value{w, v}[i]
		g.Assign(s, op.Sub(s, op.Scale(dw, 5)))
	}
	target := b.Capabilities().Target
	target.Precision = precision
	p, err := program.Compile(g, map[string]graph.Value{"loss": loss}, target)
	if err != nil {
		t.Fatal(err)
	}
	fill := func(dims ...int) graph.Tensor {
		x := graph.NewTensor(graph.F32(dims...))
		for i := range x.Data {
			x.Data[i] = rng.NormFloat64() / 3
		}
		return x
	}
	feed, st := backend.NewHost(graph.F32(n, d)), b.NewState()
	for i, x := range fill(n, d).Data {
		feed.Float32s()[i] = float32(x * math.Sin(float64(i%d)))
	}
	for _, s := range []struct {
		name string
		x    graph.Tensor
	}{{"w", fill(h, d)}, {"v", fill(d, h)}} {
		host := backend.NewHost(s.x.Spec)
		for i, x := range s.x.Data {
			host.Float32s()[i] = float32(x)
		}
		if err := st.Write(s.name, graph.Param, host); err != nil {
			t.Fatal(err)
		}
	}
	exes, err := b.Load(st, backend.Options{}, p)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range exes[0].Explain() {
		if c.Precision != "" {
			t.Errorf("%s runs in %s, not in the program's %s", c.Op, c.Precision, precision)
		}
	}
	if err := exes[0].Feed("x", feed); err != nil {
		t.Fatal(err)
	}
	var list []float64
	out := backend.NewHost(graph.F32())
	for range 200 {
		if err := exes[0].Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := exes[0].Fetch("loss", out); err != nil {
			t.Fatal(err)
		}
		list = append(list, float64(out.Float32s()[0]))
	}
	return list
}

// TestBF16Explains: what multiplies in float32 although the program is in bfloat16 says so.
func TestBF16Explains(t *testing.T) {
	b, err := cpu.Open(cpu.BF16())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	g := graph.New()
	x, w := g.Input("x", graph.F32(2, 3, 4)), g.Input("w", graph.F32(4, 5))
	outs := map[string]graph.Value{"many": op.MatMul(x, x, false, true), "one": op.MatMul(w, w, true, false)}
	target := b.Capabilities().Target
	target.Precision = "bf16"
	p, err := program.Compile(g, outs, target)
	if err != nil {
		t.Fatal(err)
	}
	exes, err := b.Load(b.NewState(), backend.Options{}, p)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range exes[0].Explain() {
		if want := map[string]string{"2x3x3": "float32"}[c.Shape]; c.Precision != want {
			t.Errorf("the product of %s is said to run in %q, want %q", c.Shape, c.Precision, want)
		}
	}
}

// TestBF16Offered is in the list of precisions where the processor multiplies pairs, and nowhere else.
func TestBF16Offered(t *testing.T) {
	b, err := cpu.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if got := b.Capabilities().Precisions; slices.Contains(got, "bf16") != cpuinfo.BF16() {
		t.Errorf("the precisions are %s", fmt.Sprint(got))
	}
}
