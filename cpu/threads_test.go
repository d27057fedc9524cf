package cpu_test

import (
	"context"
	"math"
	"testing"

	"aetrain/backend"
	"aetrain/backend/backendtest"
	"aetrain/cpu"
	"aetrain/graph"
	"aetrain/optim"
	"aetrain/program"
)

// The same seed gives the same bits after training steps, whatever the number of threads.
func TestThreads(t *testing.T) {
	for _, c := range []struct {
		name  string
		build func() *backendtest.Network
		x     graph.Spec
	}{
		{"dense VAE", func() *backendtest.Network { return backendtest.VAE(64, 300, 210, 9) }, graph.F32(64, 300)},
		{"convolutional VAE with batch norm", func() *backendtest.Network { return backendtest.ConvVAE(24, 28, 12) }, graph.F32(24, 1, 28, 28)},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := trained(t, 1, c.build(), c.x)
			for _, threads := range []int{1, 2, 3} {
				got := trained(t, threads, c.build(), c.x)
				for name, w := range want {
					for i, x := range w {
						if math.Float32bits(got[name][i]) != math.Float32bits(x) {
							t.Fatalf("%d threads: element %d of %s is %v, with one thread %v", threads, i, name, got[name][i], x)
						}
					}
				}
			}
		})
	}
}

// trained returns all states after 20 steps of Adam.
func trained(t *testing.T, threads int, n *backendtest.Network, spec graph.Spec) map[string][]float32 {
	t.Helper()
	b, err := cpu.Open(cpu.Threads(threads))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	step := n.Graph.State(graph.Buffer, "step", graph.I32(), nil)
	loss := optim.Loss{Name: optim.DefaultLoss, Value: n.Loss, Params: n.Params, Config: optim.Defaults()}
	optim.Step(n.Graph, []optim.Loss{loss}, optim.Options{Counter: step})
	p, err := program.Compile(n.Graph, map[string]graph.Value{"loss": n.Loss}, b.Capabilities().Target)
	if err != nil {
		t.Fatal(err)
	}
	st := b.NewState()
	exes, err := b.Load(st, backend.Options{Seed: 3}, p)
	if err != nil {
		t.Fatal(err)
	}
	e := exes[0]
	fixed := map[string]graph.Tensor{
		optim.InputLearningRate: {Spec: graph.F32(), Data: []float64{1e-2}},
		"seed":                  {Spec: graph.I32(2), Data: []float64{9, 4}}, "row0": {Spec: graph.I32(), Data: []float64{0}},
	}
	first, last := float32(0), float32(0)
	for i := range 20 {
		fixed["x"] = graph.Example{Args: []graph.Arg{{Spec: spec, From: 0, To: 1}}}.Draw(uint64(i % 3))[0]
		for name, x := range fixed {
			if err := e.Feed(name, backendtest.Host(x)); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if last = fetchOne(t, e); i == 0 {
			first = last
		}
	}
	if !(last < first) {
		t.Fatalf("the loss was %v and is %v: nothing is learned", first, last)
	}
	return floats(t, st)
}

func fetchOne(t *testing.T, e backend.Executable) float32 {
	t.Helper()
	h := backend.NewHost(graph.F32())
	if err := e.Fetch("loss", h); err != nil {
		t.Fatal(err)
	}
	return h.Data().([]float32)[0]
}

// floats reads all float32 states.
func floats(t *testing.T, st backend.State) map[string][]float32 {
	t.Helper()
	all := map[string][]float32{}
	for _, name := range st.Names() {
		spec, _, _ := st.Spec(name)
		if spec.DType != graph.Float32 {
			continue
		}
		h := backend.NewHost(spec)
		if err := st.Read(name, h); err != nil {
			t.Fatal(err)
		}
		all[name] = h.Data().([]float32)
	}
	return all
}
