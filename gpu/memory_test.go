//go:build gpu

package gpu_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"aetrain/backend"
	"aetrain/gpu/driver"
	"aetrain/graph"
	"aetrain/op"
	"aetrain/program"
)

// TestOutOfMemory: a program that is too large says what it takes, what there is and which batch would fit, and the device goes on.
func TestOutOfMemory(t *testing.T) {
	b := open(t)
	free := b.Capabilities().MemoryBytes
	const width = 1 << 12
	batch := int(free/(4*width)) + 1000
	_, err := b.Load(b.NewState(), backend.Options{}, doubled(t, b, batch, width))
	if !errors.Is(err, driver.ErrOutOfMemory) {
		t.Fatalf("error %v; want one that wraps ErrOutOfMemory", err)
	}
	for _, want := range []string{"GiB free of", "the plan takes", "data.batch = ", "would fit"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
	if got := b.Capabilities().MemoryBytes; got != free {
		t.Errorf("%d bytes are free after the failure, %d were before", got, free)
	}
	exes, err := b.Load(b.NewState(), backend.Options{}, doubled(t, b, 4, 4))
	if err != nil {
		t.Fatal(err)
	}
	defer exes[0].Close()
	x, y := backend.NewHost(graph.F32(4, 4)), backend.NewHost(graph.F32(4, 4))
	x.Float32s()[5] = 21
	if err := errors.Join(exes[0].Feed("x", x), exes[0].Run(context.Background()), exes[0].Fetch("y", y)); err != nil || y.Float32s()[5] != 42 {
		t.Errorf("2·21 is %v, error %v", y.Float32s()[5], err)
	}
}

// doubled is the program y = 2x.
func doubled(t *testing.T, b backend.Backend, dims ...int) *program.Program {
	t.Helper()
	g := graph.New()
	y := op.Scale(g.Input("x", graph.F32(dims...)), 2)
	p, err := program.Compile(g, map[string]graph.Value{"y": y}, b.Capabilities().Target)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestMemoryGoesBack: loading and closing again and again leaves no memory behind.
func TestMemoryGoesBack(t *testing.T) {
	b := open(t)
	p, st := doubled(t, b, 64, 64), b.NewState()
	before := int64(0)
	for i := range 5 {
		exes, err := b.Load(st, backend.Options{}, p, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range exes {
			if err := errors.Join(e.Run(context.Background()), e.Close(), e.Close()); err != nil {
				t.Fatal(err)
			}
		}
		if free := b.Capabilities().MemoryBytes; i == 0 {
			before = free // kernels are loaded now
		} else if free != before {
			t.Fatalf("round %d: %d bytes free, %d before", i, free, before)
		}
	}
}

// TestMemoryIsToldBefore: what a training takes is reserved before its first step, validation and pictures included.
func TestMemoryIsToldBefore(t *testing.T) {
	needGPU(t)
	b := open(t)
	text := strings.Replace(trainings["denoising"], "epochs = 1\n", "epochs = 1\nmax_steps = 3\n", 1)
	train(t, b, text) // kernels are loaded now
	r, err := prepare(t, b, text, t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	before := b.Capabilities().MemoryBytes
	if err := r.Fit(context.Background()); err != nil {
		t.Fatal(err)
	}
	if r.Validation == nil {
		t.Error("there was no validation")
	}
	if after := b.Capabilities().MemoryBytes; after < before {
		t.Errorf("%d bytes are free after training, %d were before its first step", after, before)
	}
}
