//go:build gpu

package gpu_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"aetrain/backend"
	"aetrain/gpu"
	"aetrain/gpu/driver"
	"aetrain/gpu/faketest"
	"aetrain/trainer"
	"aetrain/trainer/trainertest"
)

// small is a training of three steps whose program uses both libraries, a generated chain and our own kernels.
const small = `
[data]
source = "random"
shape = [1, 6, 6]
examples = 14
batch = 4
validation = 2
resident = true   # "auto" would do without, where memory is short
[model]
preset = "conv-vae"
latent_dim = 2
encoder = [
  { layer = "conv2d", filters = 2, kernel = 3, stride = 2, padding = "same", norm = "batch", activation = "relu" },
  { layer = "flatten" },
  { layer = "dense", units = 5, activation = "tanh" },
]
[train]
epochs = 1
log_every_steps = 1
`

// silent are calls whose failure ends no training: without a library, or an algorithm of it, our own kernels do its work, a device
// does without its UUID, and what is destroyed is not needed any more. Calls that only ask or only give back are not always told of
// the context that could not be made current.
var silent = map[string]bool{
	"cublasLtCreate": true, "cudnnCreate": true, "nvrtcVersion": true, "nvrtcGetNumSupportedArchs": true, "nvrtcGetSupportedArchs": true,
	"cudnnGetConvolutionForwardWorkspaceSize": true, "cudnnGetConvolutionBackwardDataWorkspaceSize": true,
	"cudnnGetConvolutionBackwardFilterWorkspaceSize": true,
	"cuCtxSetCurrent": true, "cuDeviceGetUuid": true, "cuDeviceGetAttribute": true, "cuDriverGetVersion": true, "cuMemGetInfo": true, "cuGraphUpload": true,
}

// aliases are what an error names instead of a call: CUDA's own name for it, or the call that it completes.
var aliases = map[string][]string{
	"cuGraphInstantiateWithFlags": {"cuGraphInstantiate"},
	"cuStreamSynchronize":         {"cuMemsetD32", "cuMemcpyHtoD"},
	"cudnnSetStream":              {"cudnnConvolution"},

	"cublasLtMatmulDescSetAttribute": {"cublasLtMatmul"}, // of the bias, at each run
}

// attempt opens the device, trains with the kernels named and closes it. What is left is in the counts of faketest.
func attempt(t *testing.T, kernels map[string]string) (err error) {
	t.Helper()
	b, err := gpu.Open(0)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, settle(b), b.Close())
	}()
	return steps(t, b, kernels)
}

// steps trains on b. Nothing of it is held afterwards.
func steps(t *testing.T, b backend.Backend, kernels map[string]string) error {
	dir, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		return err
	}
	p, err := trainertest.Read(t, small)
	if err != nil {
		return err
	}
	o := p.Options
	o.Dir, o.Seed, o.Backend, o.Kernels = dir, 1, b, backend.Options{Kernels: kernels}
	r, err := trainer.New(o)
	if err != nil {
		return err
	}
	err = r.Fit(context.Background())
	return errors.Join(err, r.Close())
}

// settle waits for the collector to give states back: they have no Close.
func settle(b *gpu.Backend) (first error) {
	for range 50 {
		runtime.GC()
		if _, err := b.Load(b.NewState(), backend.Options{}); err != nil && first == nil { // loads nothing, sweeps
			first = err
		}
		if faketest.Live()["allocation"] == 0 || errors.Is(first, driver.ErrLost) {
			return first
		}
		time.Sleep(time.Millisecond)
	}
	return first
}

// left says what a closed device has left behind.
func left() string { return listed(faketest.Live()) + listed(faketest.Leaked()) }

func listed(counts map[string]int) string {
	text := ""
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		text += fmt.Sprintf("%d × %s, ", counts[kind], kind)
	}
	return text
}

// needFake skips where the driver is not the fake one.
func needFake(t *testing.T) {
	t.Helper()
	if !faketest.Present() {
		t.Skip("AE_LIBCUDA does not name the fake driver")
	}
}

// inTime runs f, which must not hang.
func inTime(t *testing.T, f func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-time.After(30 * time.Second):
		buf := make([]byte, 1<<20)
		t.Fatalf("it hangs:\n%s", buf[:runtime.Stack(buf, true)])
		return nil
	}
}

// TestEachCallFails: when any single call of the driver or a library fails once, the training ends with an error that names the
// call, or goes on without; nothing leaks and the device can be opened again.
func TestEachCallFails(t *testing.T) {
	needFake(t)
	calls := eachCallFails(t, nil, nil)
	// The calls of cuDNN, which is not the first choice for so small an image.
	eachCallFails(t, map[string]string{"conv2d": "cudnn", "conv2d_input_grad": "cudnn", "conv2d_weight_grad": "cudnn", "conv_transpose2d": "cudnn"}, calls)
}

// eachCallFails fails the calls of a training in turn, but for those that were tried before. It returns all calls that were made.
func eachCallFails(t *testing.T, kernels map[string]string, tried map[string]int) map[string]int {
	t.Helper()
	once := func() error {
		t.Setenv("AETRAIN_CACHE", t.TempDir()) // generated kernels are compiled each time
		return inTime(t, func() error { return attempt(t, kernels) })
	}
	if err := once(); err != nil { // opens libraries, which later attempts find open
		t.Fatal(err)
	}
	faketest.ResetCalls()
	if err := once(); err != nil {
		t.Fatal(err)
	}
	if l := left(); l != "" {
		t.Fatalf("without any failure, %sare left behind", l)
	}
	calls := faketest.Calls()
	for _, call := range slices.Sorted(maps.Keys(calls)) {
		if tried[call] > 0 {
			continue
		}
		t.Run(call, func(t *testing.T) {
			for _, k := range places(calls[call]) {
				faketest.ResetCalls()
				faketest.Fail(call, k, 0)
				err := once()
				if faketest.Calls()[call] < k {
					faketest.ResetCalls()
					continue // it was not called so often: waits for the collector differ
				}
				checkFailure(t, fmt.Sprintf("call %d of %d", k, calls[call]), call, err)
				if t.Failed() {
					return
				}
			}
		})
	}
	return calls
}

// checkFailure judges the end of an attempt in which call failed.
func checkFailure(t *testing.T, which, call string, err error) {
	t.Helper()
	destroys := strings.Contains(call, "Destroy") || strings.Contains(call, "Free") || strings.Contains(call, "Unload")
	switch {
	case err == nil && !silent[call] && !destroys:
		t.Errorf("%s: nobody noticed", which)
	case err != nil && !names(err, call):
		t.Errorf("%s: the error does not name it: %v", which, err)
	}
	if l := left(); l != "" {
		t.Errorf("%s: %sare left behind: %v", which, l, err)
	}
}

// names reports whether an error tells which call failed.
func names(err error, call string) bool {
	convolution, _, _ := strings.Cut(call, "Backward") // "cudnnConvolution, backward data"
	convolution = strings.TrimSuffix(convolution, "Forward")
	return slices.ContainsFunc(append(aliases[call], call, convolution), func(name string) bool { return strings.Contains(err.Error(), name) })
}

// places are the calls that fail: all of a few, else the first, the last and some between.
func places(n int) []int {
	const most = 5
	if testing.Short() {
		return []int{1}
	}
	if n <= most {
		all := make([]int, n)
		for i := range all {
			all[i] = i + 1
		}
		return all
	}
	var some []int
	for i := range most {
		some = append(some, 1+i*(n-1)/(most-1))
	}
	return some
}

// leftOnDevice is what is live of the device's own. What libraries hold on the host stays after a loss: with the context gone,
// calling them is worse than leaving it.
func leftOnDevice() string {
	counts := faketest.Live()
	maps.DeleteFunc(counts, func(kind string, _ int) bool {
		return strings.HasPrefix(kind, "cublasLt") || strings.HasPrefix(kind, "cuDNN")
	})
	return listed(counts)
}

// TestLostDevice: an error that the context does not survive ends the training with a word about it; afterwards nothing is left
// and the device can be opened again.
func TestLostDevice(t *testing.T) {
	needFake(t)
	for _, call := range []string{"cuMemAlloc", "cuModuleLoadDataEx", "cuGraphLaunch", "cuStreamSynchronize", "cuMemcpyDtoH", "cuMemcpyHtoDAsync", "cuEventSynchronize"} {
		t.Run(call, func(t *testing.T) {
			faketest.ResetCalls()
			if err := attempt(t, nil); err != nil {
				t.Fatal(err)
			}
			n := faketest.Calls()[call]
			if n == 0 {
				t.Skip("not called")
			}
			for _, k := range []int{1, (n + 1) / 2, n} {
				faketest.ResetCalls()
				faketest.Fail(call, k, 700)
				err := inTime(t, func() error { return attempt(t, nil) })
				if faketest.Calls()[call] < k {
					faketest.ResetCalls()
					continue // it was not called so often
				}
				if !errors.Is(err, driver.ErrLost) {
					t.Errorf("call %d of %d: got %v, want an error of a lost device", k, n, err)
				}
				if l := leftOnDevice(); l != "" {
					t.Errorf("call %d of %d: %sare left behind: %v", k, n, l, err)
				}
			}
			if err := attempt(t, nil); err != nil {
				t.Errorf("opened again: %v", err)
			}
		})
	}
}
