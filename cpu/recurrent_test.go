package cpu_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"aetrain/backend"
	"aetrain/backend/backendtest"
	"aetrain/cpu"
	"aetrain/cpu/cpuinfo"
	"aetrain/graph"
	"aetrain/op"
	"aetrain/program"
)

// TestRecurrent trains both ways through each recurrent op: sizes that fill no task and no vector, masks, a repeated input;
// outputs and gradients agree with the definition, on every tier.
func TestRecurrent(t *testing.T) {
	for _, tier := range cpuinfo.Tiers() {
		b, err := cpu.Open(cpu.ISA(tier.String()), cpu.Threads(2))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.Close() })
		for _, c := range []struct{ n, t, d, h int }{{19, 3, 2, 33}, {70, 2, 5, 17}, {1, 6, 1, 8}, {7, 3, 16, 16}} {
			for kind := range 3 {
				for variant := range 4 {
					name := fmt.Sprintf("%v/%s/%dx%dx%dx%d/%d", tier, []string{"lstm", "gru", "rnn"}[kind], c.n, c.t, c.d, c.h, variant)
					t.Run(name, func(t *testing.T) { checkRecurrent(t, b, kind, c.n, c.t, c.d, c.h, variant&1 == 1, variant&2 == 2) })
				}
			}
		}
	}
}

// checkRecurrent compares a network's states and gradients; repeated feeds one vector at all times.
func checkRecurrent(t *testing.T, b backend.Backend, kind, n, steps, d, h int, reverse, masked bool) {
	g, feed, rng := graph.New(), map[string]graph.Tensor{}, rand.New(rand.NewPCG(uint64(kind), uint64(n)))
	input := func(name string, bound float64, dims ...int) graph.Value {
		x := graph.NewTensor(graph.F32(dims...))
		for i := range x.Data {
			x.Data[i] = float64(float32((2*rng.Float64() - 1) * bound))
		}
		feed[name] = x
		return g.Input(name, x.Spec)
	}
	gates, bound := []int{4, 3, 1}[kind]*h, 1/math.Sqrt(float64(h))
	w := op.RecurrentWeights{
		Input: input("weight_ih", bound, gates, d), Hidden: input("weight_hh", bound, gates, h),
		BiasInput: input("bias_ih", bound, gates), BiasHidden: input("bias_hh", bound, gates),
	}
	z := input("z", 1, n, d)
	x := op.BroadcastTo(op.Reshape(z, n, 1, d), n, steps, d)
	wrt := []graph.Value{w.Input, w.Hidden, w.BiasInput, w.BiasHidden, z}
	if !reverse { // a sequence of its own; on the way back the repeated one
		x = input("x", 1, n, steps, d)
		wrt[4] = x
	}
	o := op.RecurrentOptions{Reverse: reverse, H0: input("h0", 1, n, h)}
	wrt = append(wrt, o.H0)
	if masked {
		mask := input("mask", 1, n, steps)
		for i, v := range feed["mask"].Data {
			feed["mask"].Data[i] = math.Round((v + 1) / 2)
		}
		o.Mask = mask
	}
	var all, last graph.Value
	switch kind {
	case 0:
		all, last, _ = op.LSTM(x, w, o)
	case 1:
		all, last = op.GRU(x, w, o)
	default:
		all, last = op.RNN(x, w, o)
	}
	seeds := []graph.Value{input("d_all", 1, n, steps, h), input("d_last", 1, n, h)}
	values := append([]graph.Value{all, last}, graph.VJP([]graph.Value{all, last}, seeds, wrt)...)
	want, err := graph.Evaluate(values, feed)
	if err != nil {
		t.Fatal(err)
	}
	outs := map[string]graph.Value{}
	for i, v := range values {
		outs[fmt.Sprint("out", i)] = v
	}
	p, err := program.Compile(g, outs, b.Capabilities().Target)
	if err != nil {
		t.Fatal(err)
	}
	exes, err := b.Load(b.NewState(), backend.Options{Strict: true}, p)
	if err != nil {
		t.Fatal(err)
	}
	defer exes[0].Close()
	for name, x := range feed {
		if feeds(p, name) {
			if err := exes[0].Feed(name, backendtest.Host(x)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := exes[0].Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for i, v := range values {
		got := backend.NewHost(v.Spec())
		if err := exes[0].Fetch(fmt.Sprint("out", i), got); err != nil {
			t.Fatal(err)
		}
		for j, y := range got.Float32s() {
			if x := want[i].Data[j]; !(math.Abs(float64(y)-x) <= 2e-5*(1+math.Abs(x))) {
				t.Fatalf("value %d, element %d is %v, want %v", i, j, y, x)
			}
		}
	}
}

// feeds reports whether a program reads an input.
func feeds(p *program.Program, name string) bool {
	for _, in := range p.Inputs {
		if in.Name == name {
			return true
		}
	}
	return false
}
