package cpu_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"aetrain/backend"
	"aetrain/backend/backendtest"
	"aetrain/cpu"
	"aetrain/graph"
	"aetrain/op"
	"aetrain/program"
)

// TestBatchNormFollowed normalises planes of all sizes whose first image lies far from the others, with an activation behind it
// and statistics that somebody reads.
func TestBatchNormFollowed(t *testing.T) {
	b, err := cpu.Open(cpu.Threads(2))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, side := range []int{1, 2, 7, 11, 12, 33} { // as columns up to 11, as planes from 12 on
		for _, far := range []float32{0, 300} {
			t.Run(fmt.Sprintf("%dx%d,%v", side, side, far), func(t *testing.T) {
				g, n, c := graph.New(), 5, 3
				x, gamma, beta := g.Input("x", graph.F32(n, c, side, side)), g.Input("gamma", graph.F32(c)), g.Input("beta", graph.F32(c))
				y, mean, variance := op.BatchNorm(x, gamma, beta, 1e-3)
				outs := map[string]graph.Value{"y": y, "act": op.LeakyReLU(y, 0.2), "mean": mean, "variance": variance}
				feed := map[string]graph.Tensor{}
				fill := func(v graph.Value, name string, f func(i int) float32) {
					feed[name] = graph.NewTensor(v.Spec())
					for i := range feed[name].Data {
						feed[name].Data[i] = float64(f(i))
					}
				}
				fill(x, "x", func(i int) float32 {
					v := float32(math.Sin(float64(i*i%97))) + 0.5
					if i < c*side*side {
						v += far
					}
					return v
				})
				fill(gamma, "gamma", func(i int) float32 { return 1 + float32(i)/4 })
				fill(beta, "beta", func(i int) float32 { return float32(i) - 0.5 })
				got := results(t, b, g, outs, feed)
				for name, v := range outs {
					want, err := graph.Evaluate([]graph.Value{v}, feed)
					if err != nil {
						t.Fatal(err)
					}
					for i, w := range want[0].Data {
						if d := math.Abs(float64(got[name][i]) - w); !(d <= 1e-5*(1+math.Abs(w))) {
							t.Fatalf("%s[%d] is %v, want %v", name, i, got[name][i], w)
						}
					}
				}
			})
		}
	}
}

// results runs a graph of float32 values.
func results(t *testing.T, b *cpu.Backend, g *graph.Graph, outs map[string]graph.Value, feed map[string]graph.Tensor) map[string][]float32 {
	t.Helper()
	p, err := program.Compile(g, outs, b.Capabilities().Target)
	if err != nil {
		t.Fatal(err)
	}
	exes, err := b.Load(b.NewState(), backend.Options{Strict: true}, p)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range p.Inputs {
		if err := exes[0].Feed(in.Name, backendtest.Host(feed[in.Name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := exes[0].Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	got := map[string][]float32{}
	for name, v := range outs {
		h := b.Host(v.Spec())
		if err := exes[0].Fetch(name, h); err != nil {
			t.Fatal(err)
		}
		got[name] = h.Float32s()
	}
	return got
}

// agrees runs outs with waves of numbers for the inputs, and holds each element to its definition, within what tolerance allows.
func agrees(t *testing.T, b *cpu.Backend, g *graph.Graph, outs map[string]graph.Value, inputs []graph.Value, tolerance func(want float64) float64) {
	t.Helper()
	feed := map[string]graph.Tensor{}
	for i, v := range inputs {
		x := graph.NewTensor(v.Spec())
		for j := range x.Data {
			x.Data[j] = float64(float32(math.Sin(float64(3*i + j*j%101))))
		}
		feed[v.Node.Op.(graph.Input).Label] = x
	}
	got := results(t, b, g, outs, feed)
	for name, v := range outs {
		want, err := graph.Evaluate([]graph.Value{v}, feed)
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range want[0].Data {
			if !(math.Abs(float64(got[name][i])-w) <= tolerance(w)) {
				t.Fatalf("%s[%d] is %v, want %v", name, i, got[name][i], w)
			}
		}
	}
}
