//go:build gpu

package gpu_test

import (
	"runtime"
	"testing"
	"time"

	"aetrain/backend"
	"aetrain/gpu/faketest"
	"aetrain/graph"
)

// TestForgottenStates: where memory is short, that of states which nobody holds any more is taken, even where those who clean up
// behind Go's collector come late.
func TestForgottenStates(t *testing.T) {
	needFake(t)
	b := open(t)
	x := backend.NewHost(graph.F32(1000))
	write := func() error { return b.NewState().Write("x", graph.Buffer, x) }
	for range 3 {
		if err := write(); err != nil {
			t.Fatal(err)
		}
		runtime.AddCleanup(new([64]byte), time.Sleep, 20*time.Millisecond)
		faketest.Fail("cuMemAlloc", 1, 0)
		if err := write(); err != nil {
			t.Error(err)
		}
	}
}
