package cpu

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"aetrain/backend"
	"aetrain/graph"
	"aetrain/op"
	"aetrain/program"
)

// Goroutines with executables of their own share a backend: loading grows what its workers own, and who closes it waits for who runs.
func TestExecutablesTogether(t *testing.T) {
	b, err := Open(Threads(3))
	if err != nil {
		t.Fatal(err)
	}
	const runs = 20
	work := func(n int) error { // multiplies x by the identity and counts
		g := graph.New()
		x := g.Input("x", graph.F32(n, n))
		w := g.State(graph.Param, "w", graph.F32(n, n), func(_ uint64, _ string, v graph.Tensor) {
			for i := range n {
				v.Data[i*n+i] = 1
			}
		})
		steps := g.State(graph.Buffer, "steps", graph.F32(), nil)
		g.Assign(steps, op.AddConst(steps, 1))
		p, err := program.Compile(g, map[string]graph.Value{"y": op.MatMul(x, w, false, false), "n": op.AddConst(steps, 0)}, b.Capabilities().Target)
		if err != nil {
			return err
		}
		exes, err := b.Load(b.NewState(), backend.Options{}, p)
		if err != nil {
			return err
		}
		in, out, count := backend.NewHost(graph.F32(n, n)), backend.NewHost(graph.F32(n, n)), backend.NewHost(graph.F32())
		for run := range runs {
			for i := range in.Float32s() {
				in.Float32s()[i] = float32(run*n + i%17)
			}
			if err := exes[0].Feed("x", in); err != nil {
				return err
			}
			if err := exes[0].Run(context.Background()); err != nil {
				return err
			}
			if err := exes[0].Fetch("y", out); err != nil {
				return err
			}
			if err := exes[0].Fetch("n", count); err != nil {
				return err
			}
			for i, v := range out.Float32s() {
				if want := in.Float32s()[i]; v != want || count.Float32s()[0] != float32(run) {
					return fmt.Errorf("%d×%d, run %d: element %d is %v, want %v; %v runs before", n, n, run, i, v, want, count.Float32s()[0])
				}
			}
		}
		return nil
	}
	var all, first sync.WaitGroup
	for i, n := range []int{8, 33, 64, 96, 130} {
		some := &all
		if i == 0 {
			some = &first
		}
		some.Go(func() {
			if err := work(n); err != nil {
				t.Error(err)
			}
		})
	}
	first.Wait()
	if err := b.Close(); err != nil { // what is under way ends; there are only fewer to help
		t.Error(err)
	}
	all.Wait()
}
