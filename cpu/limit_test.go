package cpu_test

import (
	"strings"
	"testing"

	"aetrain/backend"
	"aetrain/cpu"
	"aetrain/graph"
	"aetrain/op"
	"aetrain/program"
)

// TestMemory: what no machine holds is refused by a sentence, not by the system.
func TestMemory(t *testing.T) {
	b, err := cpu.Open(cpu.Threads(1))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for name, build := range map[string]func(g *graph.Graph) graph.Value{
		"arena": func(g *graph.Graph) graph.Value {
			return op.ReduceMax(op.Exp(op.BroadcastTo(g.Input("x", graph.F32(1, 8)), 1<<36, 8)), 0)
		},
		"input": func(g *graph.Graph) graph.Value { return op.SumAll(g.Input("x", graph.F32(1<<36, 8))) },
		"state": func(g *graph.Graph) graph.Value {
			return op.SumAll(g.State(graph.Param, "w", graph.F32(1<<36, 8), nil))
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := graph.New()
			p, err := program.Compile(g, map[string]graph.Value{"y": build(g)}, b.Capabilities().Target)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.Load(b.NewState(), backend.Options{}, p); err == nil || !strings.Contains(err.Error(), "GiB of memory are wanted") {
				t.Errorf("error %v; want one about memory", err)
			}
		})
	}
}
