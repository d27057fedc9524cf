package cpu_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"aetrain/backend"
	"aetrain/backend/backendtest"
	"aetrain/cpu"
	"aetrain/graph"
	"aetrain/program"
)

// TestProfile times every step of a network, leaves the same results as Run, and ends with its context.
func TestProfile(t *testing.T) {
	b, err := cpu.Open(cpu.Threads(2))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	n := backendtest.VAE(16, 30, 20, 5)
	p, err := program.Compile(n.Graph, map[string]graph.Value{"loss": n.Loss}, b.Capabilities().Target)
	if err != nil {
		t.Fatal(err)
	}
	loss := func(run func(e backend.Executable) error) float32 {
		exes, err := b.Load(b.NewState(), backend.Options{Seed: 1}, p)
		if err != nil {
			t.Fatal(err)
		}
		if err := run(exes[0]); err != nil {
			t.Fatal(err)
		}
		out := b.Host(n.Loss.Spec())
		if err := exes[0].Fetch("loss", out); err != nil {
			t.Fatal(err)
		}
		return out.Float32s()[0]
	}
	want := loss(func(e backend.Executable) error { return e.Run(t.Context()) })
	got := loss(func(e backend.Executable) error {
		times, err := e.(backend.Profiler).Profile(t.Context(), 1)
		sum := time.Duration(0)
		for _, d := range times {
			sum += d
		}
		if len(times) != len(p.Steps) || sum <= 0 {
			t.Errorf("%d steps took %v, the program has %d", len(times), sum, len(p.Steps))
		}
		return err
	})
	if got != want {
		t.Errorf("the loss is %v, by Run %v", got, want)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	exes, err := b.Load(b.NewState(), backend.Options{}, p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exes[0].(backend.Profiler).Profile(over, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that is over: %v", err)
	}
}
