package backendtest

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"aetrain/backend"
	"aetrain/graph"
	"aetrain/op"
	"aetrain/program"
)

// Option asks Run for more than every backend has to do.
type Option func(*options)

type options struct {
	strict     bool
	candidates map[string][]string
}

// Strict wants a kernel for every op: all examples load with Options.Strict, and a step of them allocates nothing.
func Strict(o *options) { o.strict = true }

// strict loads and runs every small example of every op.
func strict(t *testing.T, b backend.Backend) {
	for _, o := range op.All() {
		for i, e := range o.Examples() {
			if !e.Bench {
				t.Run(fmt.Sprintf("%s/%d", o.Name(), i), func(t *testing.T) { strictExample(t, b, e) })
			}
		}
	}
}

func strictExample(t *testing.T, b backend.Backend, e graph.Example) {
	g, vs, feed := build(e, 1)
	p, _ := compileOutputs(t, b, g, vs)
	exes, err := b.Load(b.NewState(), backend.Options{Strict: true}, p)
	if err != nil {
		t.Fatal(err)
	}
	feedAll(t, exes[0], feed)
	ctx := context.Background()
	run(t, exes[0], 1)
	const steps, tries = 3, 5 // another goroutine may allocate at the same time, but not always
	for i := 0; ; i++ {
		n := allocations(steps, func() { exes[0].Run(ctx) })
		if n < steps {
			return
		}
		if i == tries {
			t.Fatalf("%d allocations in %d steps of %v; a step must not allocate", n, steps, e.Op)
		}
	}
}

// build makes a graph of one op, its inputs drawn by seed.
func build(e graph.Example, seed uint64) (*graph.Graph, []graph.Value, map[string]graph.Tensor) {
	g := graph.New()
	args, feed := make([]graph.Value, len(e.Args)), map[string]graph.Tensor{}
	for i, x := range e.Draw(seed) {
		name := fmt.Sprintf("in%d", i)
		args[i], feed[name] = g.Input(name, x.Spec), x
	}
	return g, g.Apply(e.Op, args...), feed
}

// compileOutputs compiles a program with all values as outputs, whose names it returns in their order.
func compileOutputs(t *testing.T, b backend.Backend, g *graph.Graph, vs []graph.Value) (*program.Program, []string) {
	t.Helper()
	outs, names := map[string]graph.Value{}, make([]string, len(vs))
	for i, v := range vs {
		names[i] = fmt.Sprintf("out%d", i)
		outs[names[i]] = v
	}
	return compile(t, b, g, outs), names
}

// allocations counts what the whole process allocates while f runs some times. Unlike testing.AllocsPerRun it leaves the
// number of processors alone, so that workers run as always.
func allocations(times int, f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range times {
		f()
	}
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs
}
