//go:build gpu

package gpu

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/gpu/driver"
	"aetrain/graph"
	"aetrain/kernels"
	"aetrain/program"
)

// Backend is an open GPU.
type Backend struct {
	*device
	table kernels.Table[launch]
}

// device is what all kernels of a GPU share. Everything that touches it runs inside [device.do].
type device struct {
	mu      sync.Mutex
	ctx     *driver.Context
	info    driver.Info
	lt      *driver.Lt    // nil where cuBLASLt is missing
	dnn     *driver.Dnn   // nil where cuDNN is missing
	nvrtc   *driver.NVRTC // nil where NVRTC is missing
	missing []error       // why libraries are missing
	stream  driver.Stream // all work of steps
	copies  driver.Stream // inputs on their way to the device
	modules modules
	sources sources // of chains compiled by NVRTC
	tuned   *kernels.Measurements
	running *executable // that began the last step
	lost    error       // once set, every call ends with it
	options options

	blocks map[*block]bool // that are reserved: of states, and of executables
	owned  map[*owned]bool // of executables that are not closed

	garbageMu sync.Mutex
	garbage   []func() error // of states and executables that nobody holds any more
}

// Option changes what Open does.
type Option func(*options)

type options struct {
	apart bool            // each buffer in an allocation of its own
	each  bool            // wait for each instruction
	no    map[string]bool // libraries that are left out
}

// Apart gives each buffer memory of its own, so that a checking driver sees every access outside of it. For tests.
func Apart() Option { return func(o *options) { o.apart = true } }

// EachStep runs a program's instructions one by one and waits for each: an error then names the step. Slow; for tests and diagnosis.
func EachStep() Option { return func(o *options) { o.each = true } }

// Without leaves a library out: "cublaslt", "cudnn" or "nvrtc". Its work falls to our own kernels.
func Without(library string) Option {
	return func(o *options) {
		if o.no == nil {
			o.no = map[string]bool{}
		}
		o.no[library] = true
	}
}

// Devices lists the GPUs of this machine, or says why there are none.
func Devices() ([]driver.Info, error) {
	if err := driver.Load(); err != nil {
		return nil, err
	}
	return driver.Devices()
}

// Open returns a GPU as a backend. The error says what is missing where there is none.
func Open(index int, opts ...Option) (*Backend, error) {
	if err := driver.Load(); err != nil {
		return nil, fmt.Errorf("cuda: %w", err)
	}
	ctx, err := driver.Open(index)
	if err != nil {
		return nil, fmt.Errorf("cuda:%d: %w", index, err)
	}
	d := &device{ctx: ctx, info: ctx.Info(), blocks: map[*block]bool{}, owned: map[*owned]bool{}}
	for _, opt := range opts {
		opt(&d.options)
	}
	d.tuned = kernels.NewMeasurements(d.info.Name)
	if err := d.do(d.start); err != nil {
		d.do(d.stop)
		ctx.Close()
		return nil, fmt.Errorf("cuda:%d: %w", index, err)
	}
	return &Backend{device: d, table: table(d)}, nil
}

// start makes streams and opens the libraries. A library that is missing is no error: our own kernels do its work.
func (d *device) start() (err error) {
	if d.info.Major < 7 {
		return fmt.Errorf("%s has compute capability %d.%d, the kernels want 7.0", d.info.Name, d.info.Major, d.info.Minor)
	}
	if d.stream, err = driver.NewStream(); err != nil {
		return err
	}
	if d.copies, err = driver.NewStream(); err != nil {
		return err
	}
	open := func(library string, f func() error) {
		if d.options.no[library] {
			return
		}
		if err := f(); err != nil {
			d.missing = append(d.missing, fmt.Errorf("%s: %w", library, err))
		}
	}
	open("cublaslt", func() (err error) { d.lt, err = opened(driver.OpenLt()); return err })
	open("cudnn", func() (err error) { d.dnn, err = opened(driver.OpenDnn()); return err })
	open("nvrtc", func() (err error) { d.nvrtc, err = opened(driver.OpenNVRTC()); return err })
	return nil
}

// opened is a library, nil where it could not be opened as a whole.
func opened[T any](library *T, err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	return library, nil
}

// stop gives everything back, in the reverse order.
func (d *device) stop() error {
	var first error
	keep := func(err error) {
		if first == nil {
			first = err
		}
	}
	if d.stream != (driver.Stream{}) && d.copies != (driver.Stream{}) {
		keep(d.releaseAll())
	}
	keep(d.modules.unload())
	keep(d.sources.unload())
	if d.dnn != nil {
		keep(d.dnn.Close())
	}
	if d.lt != nil {
		keep(d.lt.Close())
	}
	for _, s := range []driver.Stream{d.copies, d.stream} {
		if s != (driver.Stream{}) {
			keep(s.Destroy())
		}
	}
	return first
}

// do runs f with the device's context, one goroutine at a time. After an error that no call survives, the device is lost.
func (d *device) do(f func() error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lost != nil {
		return d.lost
	}
	return d.ctx.Do(func() error {
		swept := d.sweep()
		if err := f(); err != nil {
			return err
		}
		return swept
	})
}

// discard frees something later, inside of the next call: finalisers run on a thread of their own.
func (d *device) discard(free func() error) {
	d.garbageMu.Lock()
	defer d.garbageMu.Unlock()
	d.garbage = append(d.garbage, free)
}

// collect gives back what nobody holds any more and reports whether there was any: the collector of Go finds it, and it does not
// know when the device's memory is short.
func (d *device) collect() bool {
	n := len(d.blocks)
	const rounds, most = 3, 6 // an executable goes first, then the states that it held
	for i := 0; i < rounds || i < most && len(d.blocks) == n; i++ {
		runtime.GC()
		time.Sleep(time.Millisecond << i) // those who clean up run beside, and may come late
		if d.sweep() != nil {
			return false
		}
	}
	return len(d.blocks) < n
}

// releaseAll frees what executables and states still hold: the context may live on, in a library or another Backend.
func (d *device) releaseAll() error {
	all := []error{d.wait(), d.settle()}
	for o := range d.owned {
		all = append(all, o.release())
	}
	for b := range d.blocks {
		all = append(all, b.release(d))
	}
	return errors.Join(all...)
}

// sweep frees what was discarded, once the steps so far are done.
func (d *device) sweep() error {
	d.garbageMu.Lock()
	list := d.garbage
	d.garbage = nil
	d.garbageMu.Unlock()
	if len(list) == 0 {
		return nil
	}
	all := []error{d.wait()}
	if d.lost != nil {
		return d.lost // the context takes all of it along
	}
	for _, free := range list {
		all = append(all, free())
	}
	return errors.Join(all...)
}

// Name is "cuda:0".
func (b *Backend) Name() string { return fmt.Sprintf("cuda:%d", b.info.Index) }

// Capabilities tells the device, its free memory and what its libraries can multiply in.
func (b *Backend) Capabilities() backend.Capabilities {
	c := backend.Capabilities{
		Device:     fmt.Sprintf("%s, compute %d.%d, %.0f GiB", b.info.Name, b.info.Major, b.info.Minor, float64(b.info.MemoryBytes)/(1<<30)),
		Precisions: []string{"float32"},
		Threads:    1,
		Own:        true,
		Platform:   b.platform(),
		Target:     program.Target{Epilogue: hasEpilogue, Kernel: b.hasKernel, Precision: "float32", Align: 256},
	}
	if b.info.Major >= 8 && b.lt != nil {
		c.Precisions = append(c.Precisions, "tf32", "bf16")
	}
	b.do(func() (err error) {
		c.MemoryBytes, _, err = b.ctx.MemInfo()
		return err
	})
	return c
}

// platform names what the bits of a result depend on. A library that is not used is not named.
func (d *device) platform() map[string]string {
	p := map[string]string{
		"device": d.info.Name, "compute_capability": fmt.Sprintf("%d.%d", d.info.Major, d.info.Minor), "driver": "CUDA " + d.info.CUDA(),
	}
	if d.lt != nil {
		p["cublaslt"] = d.lt.Version()
	}
	if d.dnn != nil {
		p["cudnn"] = d.dnn.Version()
	}
	if d.nvrtc != nil {
		p["nvrtc"] = d.nvrtc.Version()
	}
	return p
}

// Missing says which libraries were not found, and why.
func (b *Backend) Missing() []error { return b.missing }

// Host returns ordinary memory: Feed puts inputs into page-locked memory of its own, two steps deep, so that a caller may
// fill the tensor again at once.
func (b *Backend) Host(s graph.Spec) *tensor.Dense { return backend.NewHost(s) }

// NewState returns an empty State.
func (b *Backend) NewState() backend.State {
	return &state{dev: b.device}
}

// Close gives the device back. States and executables must not be used after it.
func (b *Backend) Close() error {
	err := b.do(b.stop)
	if e := b.ctx.Close(); err == nil {
		err = e
	}
	return err
}
