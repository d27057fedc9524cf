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

type options struct{ strict bool }

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
	g := graph.New()
	args, feed := make([]graph.Value, len(e.Args)), map[string]graph.Tensor{}
	for i, x := range e.Draw(1) {
		name := fmt.Sprintf("in%d", i)
		args[i], feed[name] = g.Input(name, x.Spec), x
	}
	outs := map[string]graph.Value{}
	for i, v := range g.Apply(e.Op, args...) {
		outs[fmt.Sprintf("out%d", i)] = v
	}
	p, err := program.Compile(g, outs, b.Capabilities().Target)
	if err != nil {
		t.Fatal(err)
	}
	exes, err := b.Load(b.NewState(), backend.Options{Strict: true}, p)
	if err != nil {
		t.Fatal(err)
	}
	feedAll(t, exes[0], feed)
	ctx := context.Background()
	run(t, exes[0], 1)
	if n := allocations(3, func() { exes[0].Run(ctx) }); n >= 3 {
		t.Errorf("%d allocations in 3 steps of %v; a step must not allocate", n, e.Op)
	}
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
