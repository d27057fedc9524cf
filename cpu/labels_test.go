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
	text := ""
	for long := 300 * time.Millisecond; long < 10*time.Second; long *= 3 { // a busy machine gives few samples
		if text = profiled(t, exes[0], long); strings.Contains(text, "encoder.dense7") {
			break
		}
	}
	for _, want := range []string{"layer", "encoder.dense7", "op", "MatMul", "kernel", "gemm"} {
		if !strings.Contains(text, want) {
			t.Errorf("the profile does not have %q", want)
		}
	}
}

// profiled takes a CPU profile of an executable.
func profiled(t *testing.T, e backend.Executable, long time.Duration) string {
	t.Helper()
	var profile bytes.Buffer
	if err := pprof.StartCPUProfile(&profile); err != nil {
		t.Skip(err) // the test binary takes one already
	}
	for start := time.Now(); time.Since(start) < long; {
		if err := e.Run(t.Context()); err != nil {
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
	return string(text)
}
