package cpu_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"aetrain/backend"
	"aetrain/cpu"
	"aetrain/graph"
	"aetrain/op"
	"aetrain/program"
)

// TestLabelProfiles takes a CPU profile of a product, which names its layer, op and kernel. The profile's strings stand in it as they are.
func TestLabelProfiles(t *testing.T) {
	cpu.LabelProfiles(true)
	defer cpu.LabelProfiles(false)
	b, err := cpu.Open(cpu.Threads(2))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	g := graph.New()
	leave := g.Enter("encoder.dense7")
	x := g.Input("x", graph.F32(256, 256))
	y := op.MatMul(x, x, false, false)
	leave()
	p, err := program.Compile(g, map[string]graph.Value{"y": y}, b.Capabilities().Target)
	if err != nil {
		t.Fatal(err)
	}
	exes, err := b.Load(b.NewState(), backend.Options{}, p)
	if err != nil {
		t.Fatal(err)
	}
	var profile bytes.Buffer
	if err := pprof.StartCPUProfile(&profile); err != nil {
		t.Skip(err) // the test binary takes one already
	}
	for start := time.Now(); time.Since(start) < 300*time.Millisecond; {
		if err := exes[0].Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	pprof.StopCPUProfile()
	z, err := gzip.NewReader(&profile)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"layer", "encoder.dense7", "op", "MatMul", "kernel", "gemm"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the profile does not have %q", want)
		}
	}
}
