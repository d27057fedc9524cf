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

// recurrentCase is a recurrent layer: its cell, N×T×D going in, H units, and what may be.
type recurrentCase struct {
	cell       string
	n, t, d, h int

	reverse  bool
	repeated bool // one vector at all times
	masked   bool // some times are hidden; an input of its own is NaN there
}

// TestRecurrent goes through each recurrent op both ways, in sizes that fill no task and no vector, with inputs of all times and a
// repeated one, with masks: states and gradients agree with the definition, on every tier, and so do those of which not all are wanted,
// for which less is stored.
func TestRecurrent(t *testing.T) {
	for _, tier := range cpuinfo.Tiers() {
		b, err := cpu.Open(cpu.ISA(tier.String()), cpu.Threads(2))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.Close() })
		for _, size := range []recurrentCase{{n: 19, t: 3, d: 2, h: 33}, {n: 70, t: 2, d: 5, h: 17}, {n: 1, t: 6, d: 1, h: 8}, {n: 7, t: 3, d: 16, h: 16}} {
			for _, cell := range []string{"lstm", "gru", "rnn"} {
				for variant := range 8 {
					c := size
					c.cell, c.reverse, c.repeated, c.masked = cell, variant&1 > 0, variant&2 > 0, variant&4 > 0
					t.Run(fmt.Sprintf("%v/%+v", tier, c), func(t *testing.T) { c.check(t, b) })
				}
			}
		}
	}
}

// drawRecurrent draws a case.
func drawRecurrent(rng *rand.Rand) recurrentCase {
	maybe := func() bool { return rng.IntN(2) == 0 }
	return recurrentCase{[]string{"lstm", "gru", "rnn"}[rng.IntN(3)], 1 + rng.IntN(40), 1 + rng.IntN(4), 1 + rng.IntN(12), 1 + rng.IntN(40),
		maybe(), maybe(), maybe()}
}

// check compares the states and gradients of a layer, and some of them alone.
func (c recurrentCase) check(t *testing.T, b backend.Backend) {
	g, feed := graph.New(), map[string]graph.Tensor{}
	states, gradients := c.build(g, feed)
	values := append(states, gradients...)
	want, err := graph.Evaluate(values, feed)
	if err != nil {
		t.Fatal(err)
	}
	for name, wanted := range map[string][2]int{
		"gradients": {0, len(values)}, "the first gradient": {len(states), len(states) + 1}, "the states": {0, len(states)},
		"the last state": {0, 1}, "all states": {1, 2},
	} {
		from, to := wanted[0], wanted[1]
		for i, got := range runs(t, b, g, values[from:to], feed) {
			for j, y := range got {
				x := want[from+i].Data[j]
				if both := math.IsNaN(x) && math.IsNaN(float64(y)); !both && !(math.Abs(float64(y)-x) <= 2e-5*(1+math.Abs(x))) {
					t.Fatalf("with %s wanted, value %d, element %d is %v, want %v", name, i, j, y, x)
				}
			}
		}
	}
}

// build makes the layer: its states, the last one first, and the gradients of all that it reads, h0's first.
func (c recurrentCase) build(g *graph.Graph, feed map[string]graph.Tensor) (states, gradients []graph.Value) {
	rng := rand.New(rand.NewPCG(uint64(len(c.cell)), uint64(c.n)))
	input := func(name string, bound float64, dims ...int) graph.Value {
		x := graph.NewTensor(graph.F32(dims...))
		for i := range x.Data {
			x.Data[i] = float64(float32((2*rng.Float64() - 1) * bound))
		}
		feed[name] = x
		return g.Input(name, x.Spec)
	}
	gates, bound := map[string]int{"lstm": 4, "gru": 3, "rnn": 1}[c.cell]*c.h, 1/math.Sqrt(float64(c.h))
	w := op.RecurrentWeights{
		Input: input("weight_ih", bound, gates, c.d), Hidden: input("weight_hh", bound, gates, c.h),
		BiasInput: input("bias_ih", bound, gates), BiasHidden: input("bias_hh", bound, gates),
	}
	o := op.RecurrentOptions{Reverse: c.reverse, H0: input("h0", 1, c.n, c.h)}
	wrt := []graph.Value{o.H0, w.Input, w.Hidden, w.BiasInput, w.BiasHidden}
	if c.masked {
		o.Mask = input("mask", 1, c.n, c.t)
		for i, v := range feed["mask"].Data {
			feed["mask"].Data[i] = math.Round((v + 1) / 2)
		}
	}
	var x graph.Value
	if c.repeated {
		z := input("z", 1, c.n, c.d)
		x, wrt = op.BroadcastTo(op.Reshape(z, c.n, 1, c.d), c.n, c.t, c.d), append(wrt, z)
	} else {
		x = input("x", 1, c.n, c.t, c.d)
		wrt = append(wrt, x)
		for i := range feed["x"].Data {
			if c.masked && feed["mask"].Data[i/c.d] == 0 {
				feed["x"].Data[i] = math.NaN()
			}
		}
	}
	seeds := []graph.Value{input("d_last", 1, c.n, c.h), input("d_all", 1, c.n, c.t, c.h)}
	switch c.cell {
	case "lstm":
		o.C0 = input("c0", 1, c.n, c.h)
		all, last, cell := op.LSTM(x, w, o)
		states, seeds, wrt = []graph.Value{last, all, cell}, append(seeds, input("d_cell", 1, c.n, c.h)), append(wrt, o.C0)
	case "gru":
		all, last := op.GRU(x, w, o)
		states = []graph.Value{last, all}
	default:
		all, last := op.RNN(x, w, o)
		states = []graph.Value{last, all}
	}
	return states, graph.VJP(states, seeds, wrt)
}

// runs compiles values to a program and runs it once.
func runs(t *testing.T, b backend.Backend, g *graph.Graph, values []graph.Value, feed map[string]graph.Tensor) (results [][]float32) {
	t.Helper()
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
		results = append(results, got.Float32s())
	}
	return results
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
