package cpu_test

import (
	"context"
	"sync"
	"testing"

	"aetrain/backend"
	"aetrain/cpu"
	"aetrain/graph"
	"aetrain/op"
	"aetrain/program"
)

// TestConcurrent runs two executables of one backend from two goroutines, as a page does that shows a model while it is trained:
// each gets its own results, whatever runs beside it.
func TestConcurrent(t *testing.T) {
	b, err := cpu.Open(cpu.Threads(2))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	load := func(n int) backend.Executable {
		g := graph.New()
		x := g.Input("x", graph.F32(n, n))
		p, err := program.Compile(g, map[string]graph.Value{"y": op.LogSoftmax(op.MatMul(x, x, false, true))}, b.Capabilities().Target)
		if err != nil {
			t.Fatal(err)
		}
		exes, err := b.Load(b.NewState(), backend.Options{}, p)
		if err != nil {
			t.Fatal(err)
		}
		return exes[0]
	}
	run := func(e backend.Executable, n, steps int) {
		x, y, want := b.Host(graph.F32(n, n)), b.Host(graph.F32(n, n)), b.Host(graph.F32(n, n))
		for i := range x.Float32s() {
			x.Float32s()[i] = float32(i%7) / 10
		}
		if err := e.Feed("x", x); err != nil {
			t.Error(err)
		}
		for step := range steps {
			if err := e.Run(context.Background()); err != nil {
				t.Error(err)
			}
			if err := e.Fetch("y", y); err != nil {
				t.Error(err)
			}
			if step == 0 {
				copy(want.Float32s(), y.Float32s())
			}
			for i, v := range y.Float32s() {
				if v != want.Float32s()[i] {
					t.Errorf("step %d: number %d of %d is %v, and was %v", step, i, n*n, v, want.Float32s()[i])
					return
				}
			}
		}
	}
	var both sync.WaitGroup
	for _, n := range []int{40, 100} {
		e := load(n)
		both.Go(func() { run(e, n, 300) })
	}
	both.Wait()
}
