package cpu_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"aetrain/backend"
	"aetrain/cpu"
	"aetrain/graph"
	"aetrain/op"
	"aetrain/program"
)

// TestThreads runs what has partial sums, or shares its work out, with one, two and five workers: the bits are the same.
func TestThreads(t *testing.T) {
	arg := func(dims ...int) graph.Arg { return graph.Arg{Spec: graph.F32(dims...), From: 0.1, To: 1} }
	same := op.ConvConfig{PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}.Normalized()
	index := graph.Arg{Spec: graph.I32(500), From: 0, To: 30}
	back, mask := op.Recurrence{Reverse: true, Steps: 3}, graph.Arg{Spec: graph.F32(70, 3), Values: make([]float64, 210)}
	for i := range mask.Values {
		mask.Values[i] = float64(min(max(i/3%4-i%3, 0), 1)) // of an example its first 0 to 3 times are valid
	}
	for _, e := range []graph.Example{
		{Op: op.Conv{ConvConfig: same}, Args: []graph.Arg{arg(21, 13, 9, 11), arg(17, 13, 3, 3)}},
		{Op: op.ConvTranspose{ConvConfig: same}, Args: []graph.Arg{arg(21, 13, 9, 11), arg(13, 17, 3, 3)}},
		{Op: op.ConvWeightGrad{ConvConfig: same, KH: 3, KW: 3}, Args: []graph.Arg{arg(21, 13, 9, 11), arg(21, 17, 9, 11)}},
		{Op: op.ConvWeightGrad{ConvConfig: same, KH: 3, KW: 3}, Args: []graph.Arg{arg(70, 3, 4, 4), arg(70, 17, 4, 4)}},
		{Op: op.BatchNormGrad{Eps: 1e-3}, Args: []graph.Arg{arg(300, 70), arg(70), arg(300, 70), arg(70), arg(70)}},
		{Op: op.BatchNormalization{Eps: 1e-3}, Args: []graph.Arg{arg(30, 7, 12, 12), arg(7), arg(7)}},
		{Op: op.BatchNormalization{Eps: 1e-3}, Args: []graph.Arg{arg(70, 90, 2, 3), arg(90), arg(90)}},
		{Op: op.BatchNormGrad{Eps: 1e-3}, Args: []graph.Arg{arg(70, 90, 2, 3), arg(90), arg(70, 90, 2, 3), arg(90), arg(90)}},
		{Op: op.LayerNormGrad{Eps: 1e-3}, Args: []graph.Arg{arg(600, 50), arg(50), arg(600, 50), arg(600), arg(600)}},
		{Op: op.ScatterRows{Rows: 30}, Args: []graph.Arg{index, arg(500, 65)}},
		{Op: op.Reduce{Axes: []int{0}}, Args: []graph.Arg{arg(700, 90)}},
		{Op: op.Product{TransA: true}, Args: []graph.Arg{arg(300, 90), arg(300, 110)}},
		{Op: op.Product{TransA: true}, Args: []graph.Arg{arg(5001, 90), arg(5001, 70)}},
		{Op: op.Product{TransA: true}, Args: []graph.Arg{arg(5001, 90), arg(5001, 1)}},
		{Op: op.Product{TransB: true}, Args: []graph.Arg{arg(130, 500), arg(20, 500)}},
		{Op: op.Product{}, Args: []graph.Arg{arg(130, 500), arg(500, 20)}},
		{Op: op.LSTMSequence{}, Args: []graph.Arg{arg(70, 3, 68), arg(68, 17), arg(68), arg(70, 17), arg(70, 17)}},
		{Op: op.LSTMSequence{Recurrence: back}, Args: []graph.Arg{arg(70, 1, 68), arg(68, 17), arg(68), arg(70, 17), arg(70, 17), mask}},
		{Op: op.LSTMGrad{}, Args: []graph.Arg{arg(3, 4, 70, 17), arg(3, 1, 70, 17), arg(70, 17), arg(68, 17), arg(70, 17), arg(70, 17)}},
		{Op: op.LSTMGrad{Reverse: true, Sequence: true}, Args: []graph.Arg{
			arg(3, 4, 70, 17), arg(3, 1, 70, 17), arg(70, 17), arg(68, 17), arg(70, 17), arg(70, 17), arg(70, 3, 17), mask}},
		{Op: op.GRUSequence{}, Args: []graph.Arg{arg(70, 3, 51), arg(51, 17), arg(68), arg(70, 17)}},
		{Op: op.GRUSequence{Recurrence: back}, Args: []graph.Arg{arg(70, 1, 51), arg(51, 17), arg(68), arg(70, 17), mask}},
		{Op: op.GRUGrad{}, Args: []graph.Arg{arg(3, 4, 70, 17), arg(70, 3, 17), arg(51, 17), arg(70, 17)}},
		{Op: op.GRUGrad{Reverse: true, Sequence: true}, Args: []graph.Arg{
			arg(3, 4, 70, 17), arg(70, 3, 17), arg(51, 17), arg(70, 17), arg(70, 3, 17), mask}},
		{Op: op.RNNSequence{}, Args: []graph.Arg{arg(70, 3, 17), arg(17, 17), arg(17), arg(70, 17)}},
		{Op: op.RNNSequence{Recurrence: back}, Args: []graph.Arg{arg(70, 1, 17), arg(17, 17), arg(17), arg(70, 17), mask}},
		{Op: op.RNNGrad{}, Args: []graph.Arg{arg(70, 3, 17), arg(17, 17), arg(70, 17)}},
		{Op: op.RNNGrad{Reverse: true, Sequence: true}, Args: []graph.Arg{arg(70, 3, 17), arg(17, 17), arg(70, 17), arg(70, 3, 17), mask}},
	} {
		t.Run(fmt.Sprintf("%s%v", e.Op.Name(), e.Args[0].Spec.Shape), func(t *testing.T) {
			want := bits(t, e, 1)
			for _, n := range []int{2, 5} {
				for i, b := range bits(t, e, n) {
					if b != want[i] {
						t.Fatalf("number %d is %x with %d workers, %x with one", i, b, n, want[i])
					}
				}
			}
		})
	}
}

// bits returns all float32 results of an op.
func bits(t *testing.T, e graph.Example, threads int) []uint32 {
	t.Helper()
	b, err := cpu.Open(cpu.Threads(threads))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	g := graph.New()
	var args []graph.Value
	for i, a := range e.Args {
		args = append(args, g.Input(fmt.Sprint("in", i), a.Spec))
	}
	vs, outs := g.Apply(e.Op, args...), map[string]graph.Value{}
	for i, v := range vs {
		outs[fmt.Sprint("out", i)] = v
	}
	p, err := program.Compile(g, outs, b.Capabilities().Target)
	if err != nil {
		t.Fatal(err)
	}
	exes, err := b.Load(b.NewState(), backend.Options{}, p)
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range e.Draw(7) {
		h := b.Host(x.Spec)
		for j, v := range x.Data {
			switch d := h.Data().(type) {
			case []float32:
				d[j] = float32(v)
			case []int32:
				d[j] = int32(v)
			}
		}
		if err := exes[0].Feed(fmt.Sprint("in", i), h); err != nil {
			t.Fatal(err)
		}
	}
	if err := exes[0].Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	var all []uint32
	for i, v := range vs {
		h := b.Host(v.Spec())
		if err := exes[0].Fetch(fmt.Sprint("out", i), h); err != nil {
			t.Fatal(err)
		}
		for _, x := range h.Data().([]float32) {
			all = append(all, math.Float32bits(x))
		}
	}
	return all
}
