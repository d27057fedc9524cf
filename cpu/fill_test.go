package cpu_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/cpu"
	"aetrain/graph"
	"aetrain/op"
	"aetrain/program"
)

// TestFill: every run asks for each row once, before it reads the input.
func TestFill(t *testing.T) {
	const rows, width = 301, 700
	for _, threads := range []int{1, 3} {
		b, err := cpu.Open(cpu.Threads(threads))
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		g := graph.New()
		x := g.Input("x", graph.F32(rows, width))
		scale := g.Input("scale", graph.F32())
		p, err := program.Compile(g, map[string]graph.Value{"y": op.Scale(x, 2), "s": op.Exp(scale)}, b.Capabilities().Target)
		if err != nil {
			t.Fatal(err)
		}
		exes, err := b.Load(b.NewState(), backend.Options{}, p)
		if err != nil {
			t.Fatal(err)
		}
		exe := exes[0].(backend.Filler)
		var run, asked atomic.Int64
		err = exe.Fill("x", func(dst *tensor.Dense, from, to int) {
			asked.Add(int64(to - from))
			for i := range dst.Float32s() {
				dst.Float32s()[i] = float32(run.Load()) + float32(from*width+i)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		y := b.Host(graph.F32(rows, width))
		for range 3 {
			run.Add(1)
			asked.Store(0)
			if err := exe.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			if err := exe.Fetch("y", y); err != nil {
				t.Fatal(err)
			}
			if asked.Load() != rows {
				t.Fatalf("%d rows were asked for, want %d", asked.Load(), rows)
			}
			for i, got := range y.Float32s() {
				if want := 2 * (float32(run.Load()) + float32(i)); got != want {
					t.Fatalf("y[%d] is %v, want %v", i, got, want)
				}
			}
		}
		for name, want := range map[string]string{"z": "no input z", "scale": "no rows"} {
			if err := exe.Fill(name, nil); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want %q", name, err, want)
			}
		}
	}
}
