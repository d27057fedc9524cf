//go:build gpu

package faketest_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"unsafe"

	"aetrain/gpu/driver"
	"aetrain/gpu/faketest"
)

// kernels are right and wrong ones.
const kernels = `
extern "C" __global__ void fill(float* x, int n, float v) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] = v;
}
extern "C" __global__ void total(const float* x, float* out, int n) {
  __shared__ float warp[32];
  float s = 0.0f;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) s += x[i];
  for (int o = 16; o > 0; o >>= 1) s += __shfl_down_sync(0xffffffffu, s, o);
  int lane = threadIdx.x & 31, w = threadIdx.x >> 5;
  if (lane == 0) warp[w] = s;
  __syncthreads();
  if (w == 0) {
    s = lane < (int)((blockDim.x + 31) >> 5) ? warp[lane] : 0.0f;
    for (int o = 16; o > 0; o >>= 1) s += __shfl_down_sync(0xffffffffu, s, o);
    if (lane == 0) out[blockIdx.x] = s;
  }
}
extern "C" __global__ void votes(unsigned* out) {
  unsigned odd = __ballot_sync(0xffffffffu, threadIdx.x & 1);
  if (threadIdx.x < 2) out[threadIdx.x] = threadIdx.x ? __popc(odd) + (__any_sync(3u, threadIdx.x == 0) << 8) : odd + 0 * __any_sync(3u, 0);
}
extern "C" __global__ void apart(int* x) {
  if (threadIdx.x & 1) __syncthreads();
  else x[0] = __shfl_down_sync(0xffffffffu, x[0], 1);
  __syncthreads();
}
extern "C" __global__ void unset(float* x) {
  __shared__ float s[64];
  if (threadIdx.x < 32) s[threadIdx.x] = 1.0f;
  __syncthreads();
  x[threadIdx.x] = s[threadIdx.x];
}
extern "C" __global__ void race(int* x) {
  __shared__ int s;
  if (threadIdx.x == 0) s = 1;
  if (threadIdx.x == 0) x[1] = 5;
  x[0] = s;
  __syncthreads();
}
extern "C" __global__ void __launch_bounds__(64) narrow(float* x) { x[threadIdx.x] = 0; }
struct Four { int a; float b; int c; float d; };
extern "C" __global__ void structs(float* x, Four f, double y) { x[0] = f.a + f.b + f.c + f.d + (float)y; }
`

// bench is an open fake device with the kernels.
type bench struct {
	*testing.T
	stream driver.Stream
	module driver.Module
}

// withKernels opens the fake device, compiles the kernels and runs f; afterwards nothing may be left.
func withKernels(t *testing.T, f func(b *bench)) {
	t.Helper()
	if !faketest.Present() {
		t.Skip("AE_LIBCUDA does not name the fake driver")
	}
	ctx, err := driver.Open(0)
	if err != nil {
		t.Fatal(err)
	}
	err = ctx.Do(func() error {
		b := &bench{T: t}
		n, err := driver.OpenNVRTC()
		if err != nil {
			return err
		}
		text, err := n.Compile("test.cu", "#include \"prelude.h\"\n"+kernels, map[string]string{"prelude.h": "#pragma once\n"}, 9, 0)
		if err != nil {
			return err
		}
		if b.module, err = driver.LoadModule(text); err != nil {
			return err
		}
		if b.stream, err = driver.NewStream(); err != nil {
			return err
		}
		f(b)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := ctx.Close(); err != nil {
		t.Error(err)
	}
	for kind, n := range faketest.Live() {
		t.Errorf("%d × %s are left", n, kind)
	}
}

// alloc returns device memory.
func (b *bench) alloc(n int64) driver.Ptr {
	b.Helper()
	p, err := driver.Alloc(n)
	if err != nil {
		b.Fatal(err)
	}
	return p
}

// launch enqueues a kernel.
func (b *bench) launch(name string, grid, block int, args ...any) error {
	b.Helper()
	f, err := b.module.Function(name)
	if err != nil {
		b.Fatal(err)
	}
	return driver.Launch(f, [3]int{grid, 1, 1}, [3]int{block, 1, 1}, 0, b.stream, args...)
}

// floats reads n floats once the stream is done.
func (b *bench) floats(p driver.Ptr, n int) []float32 {
	b.Helper()
	if err := b.stream.Synchronize(); err != nil {
		b.Fatal(err)
	}
	x := make([]float32, n)
	if err := driver.CopyToHost(unsafe.Pointer(&x[0]), p, int64(4*n)); err != nil {
		b.Fatal(err)
	}
	return x
}

func TestKernels(t *testing.T) {
	withKernels(t, func(b *bench) {
		const n = 10007
		x, out := b.alloc(4*n), b.alloc(4*8)
		if err := errors.Join(b.launch("fill", 40, 256, x, n, float32(0.5)), b.launch("total", 8, 256, x, out, n)); err != nil {
			t.Fatal(err)
		}
		sum := float32(0)
		for _, v := range b.floats(out, 8) {
			sum += v
		}
		if sum != n/2. {
			t.Errorf("the sum is %v, want %v", sum, n/2.)
		}
		if err := b.launch("votes", 1, 32, out); err != nil {
			t.Fatal(err)
		}
		got := b.floats(out, 2)
		if odd, count := math.Float32bits(got[0]), math.Float32bits(got[1]); odd != 0xaaaaaaaa || count != 16 {
			t.Errorf("votes %#x and %#x, want 0xaaaaaaaa and 16", odd, count)
		}
		if err := b.launch("structs", 1, 1, out, []int32{1, int32(math.Float32bits(2)), 3, int32(math.Float32bits(4))}, 10.0); err != nil {
			t.Fatal(err)
		}
		if got := b.floats(out, 1)[0]; got != 20 {
			t.Errorf("the struct's sum is %v, want 20", got)
		}
		if err := errors.Join(driver.Free(x), driver.Free(out)); err != nil {
			t.Error(err)
		}
	})
}

// TestMistakes: what a kernel or its caller does wrong is an error that says so, or a NaN.
func TestMistakes(t *testing.T) {
	tests := []struct {
		name string
		do   func(b *bench) error
		want error // nil: any
		text string
	}{
		{"out of bounds", func(b *bench) error { return b.launch("fill", 2, 256, b.alloc(4), 512, float32(1)) }, driver.ErrLost, "illegal memory access"},
		{"after free", func(b *bench) error {
			p := b.alloc(64)
			driver.Free(p)
			return b.launch("fill", 1, 1, p, 1, float32(1))
		}, driver.ErrLost, "illegal memory access"},
		{"deadlock", func(b *bench) error { return b.launch("apart", 1, 64, b.alloc(4)) }, driver.ErrLost, "launch failure"},
		{"too wide", func(b *bench) error { return b.launch("narrow", 1, 128, b.alloc(512)) }, nil, "invalid argument"},
		{"pageable memory", func(b *bench) error {
			var x float32
			return driver.CopyToDeviceAsync(b.alloc(4), unsafe.Pointer(&x), 4, b.stream)
		}, nil, "invalid argument"},
		{"copy too long", func(b *bench) error {
			var x [64]float32
			return driver.CopyToDevice(b.alloc(128), unsafe.Pointer(&x), 256)
		}, nil, "invalid argument"},
		{"allocation in a capture", func(b *bench) error {
			_, err := driver.Capture(b.stream, func() error { _, err := driver.Alloc(4); return err })
			return err
		}, nil, "capturing"},
		{"wait in a capture", func(b *bench) error {
			_, err := driver.Capture(b.stream, func() error { return b.stream.Synchronize() })
			return err
		}, nil, "capturing"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			withKernels(t, func(b *bench) {
				err := test.do(b)
				if err == nil {
					err = b.stream.Synchronize()
				}
				if err == nil || !strings.Contains(err.Error(), test.text) || test.want != nil && !errors.Is(err, test.want) {
					t.Errorf("got %v, want %v with %q", err, test.want, test.text)
				}
			})
		})
	}
}

func TestUnsetMemoryIsNaN(t *testing.T) {
	withKernels(t, func(b *bench) {
		p := b.alloc(256)
		if x := b.floats(p, 64); !math.IsNaN(float64(x[0])) || !math.IsNaN(float64(x[63])) {
			t.Errorf("fresh memory holds %v", x)
		}
		if err := b.launch("unset", 1, 64, p); err != nil {
			t.Fatal(err)
		}
		if x := b.floats(p, 64); x[31] != 1 || !math.IsNaN(float64(x[32])) {
			t.Errorf("shared memory that was written holds %v, the rest %v", x[31], x[32])
		}
	})
}

func TestFail(t *testing.T) {
	withKernels(t, func(b *bench) {
		faketest.ResetCalls()
		faketest.Fail("cuMemAlloc", 2, 0)
		p := b.alloc(4)
		_, err := driver.Alloc(4)
		if !errors.Is(err, driver.ErrOutOfMemory) || !strings.Contains(err.Error(), "cuMemAlloc") {
			t.Errorf("the second allocation: %v", err)
		}
		q := b.alloc(4)
		if n := faketest.Calls()["cuMemAlloc"]; n != 3 {
			t.Errorf("%d calls, want 3", n)
		}
		before := faketest.Live()["allocation"]
		faketest.Fail("cuMemFree", 1, 0)
		if err := driver.Free(p); err == nil {
			t.Error("the failing free is silent")
		}
		driver.Free(q)
		if n := faketest.Live()["allocation"]; n != before-2 {
			t.Errorf("%d allocations are left of %d after two were freed", n, before)
		}
		faketest.Fail("cuStreamSynchronize", 1, 700)
		if err := b.stream.Synchronize(); !errors.Is(err, driver.ErrLost) {
			t.Errorf("a sticky error: %v", err)
		}
		if _, err := driver.Alloc(4); !errors.Is(err, driver.ErrLost) {
			t.Errorf("after a sticky error: %v", err)
		}
	})
}

// TestOutOfMemory: the device has the size that it reports, and not more.
func TestOutOfMemory(t *testing.T) {
	withKernels(t, func(b *bench) {
		_, err := driver.Alloc(1 << 50)
		if !errors.Is(err, driver.ErrOutOfMemory) {
			t.Errorf("a petabyte: %v", err)
		}
	})
}
