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

// TestBF16 trains the same network in float32 and in bfloat16, on one thread and on several: the losses stay together, products are
// rounded, and the bits do not depend on the threads.
func TestBF16(t *testing.T) {
	exact := losses(t, "float32", 2)
	rounded := losses(t, "bf16", 2)
	if alone := losses(t, "bf16", 1); !slices.Equal(alone, rounded) {
		t.Error("one thread gives other bits than two")
	}
	if slices.Equal(exact, rounded) {
		t.Error("nothing is rounded")
	}
	for i, want := range exact {
		if math.Abs(rounded[i]-want) > 0.02*exact[0] {
			t.Errorf("step %d: the loss is %v in bfloat16, %v in float32", i, rounded[i], want)
		}
	}
	if last := rounded[len(rounded)-1]; last > exact[0]/2 {
		t.Errorf("the loss has come from %v to %v only", exact[0], last)
	}
}

// losses trains an autoencoder with a dense layer each way for some steps.
func losses(t *testing.T, precision string, threads int) []float64 {
	t.Helper()
	b, err := cpu.Open(cpu.Threads(threads), cpu.BF16())
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
	if err := exes[0].Feed("x", feed); err != nil {
		t.Fatal(err)
	}
	var list []float64
	out := backend.NewHost(graph.F32())
	for range 60 {
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
