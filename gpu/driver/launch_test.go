//go:build gpu && cgo

package driver

import (
	"errors"
	"slices"
	"testing"
)

func probed(n int, seed uint32) []uint32 {
	want := make([]uint32, n)
	for i := range want {
		want[i] = uint32(i)*2654435761 + seed
	}
	return want
}

func TestLaunch(t *testing.T) {
	onDevice(t, func(*Context) {
		const n = 1000
		s, f := stream(t), kernel(t, "probe")
		out := upload(t, make([]uint32, n))
		ok(t, Launch(f, [3]int{2, 1, 1}, [3]int{96, 1, 1}, 0, s, out, n, uint32(77)))
		ok(t, s.Synchronize())
		if got := download[uint32](t, out, n); !slices.Equal(got, probed(n, 77)) {
			t.Errorf("wrong: %v…", got[:8])
		}
		for _, tt := range []struct {
			name  string
			block int
			args  []any
			want  []string
		}{
			{"type", 32, []any{out, n, "seven"}, []string{"launch of probe", "argument 2 is of type string"}},
			{"int", 32, []any{out, 1 << 40, uint32(7)}, []string{"argument 1 is 1099511627776"}},
			{"struct", 32, []any{[]int32{}}, []string{"argument 0 is a struct of 0 words"}},
			{"large", 32, []any{make([]int32, 1025)}, []string{"1025 words"}},
			{"many", 32, slices.Repeat([]any{1}, 65), []string{"65 arguments; the limit is 64"}},
			{"block", 2048, []any{out, n, uint32(7)}, []string{"cuLaunchKernel of probe (grid [2 1 1], block [2048 1 1], 0 bytes shared): "}},
		} {
			err := Launch(f, [3]int{2, 1, 1}, [3]int{tt.block, 1, 1}, 0, s, tt.args...)
			t.Run(tt.name, func(t *testing.T) { wantError(t, err, tt.want...) })
		}
		ok(t, s.Synchronize())
		ok(t, s.Destroy())
	})
}

// Arguments of every type arrive as they are.
func TestLaunchArguments(t *testing.T) {
	onDevice(t, func(c *Context) {
		compiler, err := OpenNVRTC()
		if err != nil {
			t.Skip("no NVRTC: ", err)
		}
		const source = `
#include "prelude.h"
struct three { int a; float b; int c; };
extern "C" __global__ void arguments(double* out, int i, unsigned u, long long l, unsigned long long v, float f, double d, three s, int last) {
  out[0] = i; out[1] = u; out[2] = (double)l; out[3] = (double)v; out[4] = f; out[5] = d; out[6] = s.a; out[7] = s.b; out[8] = s.c; out[9] = last;
}
`
		info := c.Info()
		image, err := compiler.Compile("arguments.cu", source, map[string]string{"prelude.h": "// nothing\n"}, info.Major, info.Minor)
		ok(t, err)
		m, err := LoadModule(image)
		ok(t, err)
		f, err := m.Function("arguments")
		ok(t, err)
		s, out := stream(t), upload(t, make([]uint32, 20))
		ok(t, Launch(f, [3]int{1, 1, 1}, [3]int{1, 1, 1}, 0, s, out, -3, uint32(1<<31), int64(-1<<40), uint64(1<<50), float32(0.5), 0.25, []int32{-7, 0x3fc00000, 9}, int32(11)))
		ok(t, s.Synchronize())
		if got, want := doubles(download[uint32](t, out, 20)), []float64{-3, 1 << 31, -1 << 40, 1 << 50, 0.5, 0.25, -7, 1.5, 9, 11}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		ok(t, s.Destroy())
		ok(t, m.Unload())
	})
}

func TestModule(t *testing.T) {
	onDevice(t, func(*Context) {
		_, err := LoadModule([]byte("this is no PTX"))
		wantError(t, err, "cuModuleLoadDataEx of 14 B: ")
		f := kernel(t, "probe")
		if f.Name() != "probe" {
			t.Errorf("the name is %q", f.Name())
		}
		wantError(t, f.SetMaxShared(1<<30), "cuFuncSetAttribute of probe to 1.1 GB")
	})
}

func TestCapture(t *testing.T) {
	onDevice(t, func(*Context) {
		const n = 100
		s, f := stream(t), kernel(t, "probe")
		a, b := upload(t, make([]uint32, n)), upload(t, make([]uint32, n))
		g, err := Capture(s, func() error {
			return errors.Join(Launch(f, [3]int{1, 1, 1}, [3]int{32, 1, 1}, 0, s, a, n, uint32(3)), CopyAsync(b, a, 4*n, s), FillAsync(a, 0, n, s))
		})
		ok(t, err)
		if g.Nodes() != 3 {
			t.Errorf("%d nodes, want 3", g.Nodes())
		}
		if got := download[uint32](t, b, n); !slices.Equal(got, make([]uint32, n)) {
			t.Error("the capture did the work")
		}
		ok(t, g.Upload(s))
		for range 2 {
			ok(t, Fill(b, 1, n))
			ok(t, g.Launch(s))
			ok(t, s.Synchronize())
			if got := download[uint32](t, b, n); !slices.Equal(got, probed(n, 3)) {
				t.Errorf("wrong: %v…", got[:8])
			}
		}
		ok(t, g.Destroy())
		ok(t, g.Destroy())
		ok(t, (*Graph)(nil).Destroy())
	})
}

// A capture that fails, or panics, ends: the stream works on.
func TestCaptureFails(t *testing.T) {
	onDevice(t, func(*Context) {
		s := stream(t)
		p := upload(t, make([]uint32, 4))
		stop := errors.New("stop")
		if _, err := Capture(s, func() error { ok(t, FillAsync(p, 1, 4, s)); return stop }); err != stop {
			t.Errorf("the error is %v, want f's", err)
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic is lost")
				}
			}()
			Capture(s, func() error { panic("stop") }) // does not return
		}()
		_, err := Capture(s, func() error {
			s.Synchronize() // is not allowed, and voids the capture
			return nil
		})
		wantError(t, err, "cuStreamEndCapture", "(90")
		ok(t, FillAsync(p, 2, 4, s))
		ok(t, s.Synchronize())
		if got := download[uint32](t, p, 4); got[3] != 2 {
			t.Errorf("got %v", got)
		}
	})
}

func BenchmarkLaunch(b *testing.B) {
	if err := Load(); err != nil {
		b.Skip("no GPU: ", err)
	}
	onBenchmark(b, func(f Function, s Stream, p Ptr) {
		b.ReportAllocs()
		for b.Loop() {
			if err := Launch(f, [3]int{1, 1, 1}, [3]int{32, 1, 1}, 0, s, p, 1, uint32(1)); err != nil {
				b.Fatal(err)
			}
		}
		s.Synchronize()
	})
}
