// Package cpu is the backend that runs programs on the processor, in Go and Go assembly.
//
// [Open] makes it, Load binds every step of a program to phases of tasks (bind.go has the table of kernels), and a step then runs
// as one parallel region: all workers walk through the same phases, meeting between them (workers.go). What a task does
// depends on the shapes alone, never on the number of workers, so results do not either. Phases that work example by example may
// become one, whose tasks take a block of examples through all of them (depth.go).
package cpu

import (
	"fmt"
	"runtime"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/cpu/cpuinfo"
	"aetrain/cpu/vec"
	"aetrain/graph"
	"aetrain/program"
)

// Backend is an open CPU.
type Backend struct {
	tier    cpuinfo.Tier
	vec     *vec.Kernels
	workers *workers
	memory  int64 // bytes that there are; 0: unknown
	bf16    bool  // by plain Go, where the processor cannot: for tests
	tiled   bool  // likewise the products of AMX
	depth   depthRule
}

// Option changes what Open does.
type Option func(*options)

type options struct {
	tier    cpuinfo.Tier
	threads int
	bf16    bool
	tiled   bool
	depth   depthRule
	err     error
}

// ISA picks an instruction tier: "go", "avx2" or "avx512"; the default is the best that there is.
func ISA(name string) Option {
	return func(o *options) {
		t, err := cpuinfo.Parse(name)
		if err == nil && !cpuinfo.Has(t) {
			err = fmt.Errorf("cpu: this processor has no %s: %w", name, backend.ErrUnsupported)
		}
		o.tier, o.err = t, err
	}
}

// Threads sets the number of workers; 0 is one for each processor that Go may use.
func Threads(n int) Option {
	return func(o *options) { o.threads = n }
}

// Open returns the CPU as a backend.
func Open(opts ...Option) (*Backend, error) {
	o := options{tier: cpuinfo.Best(), depth: depthWins}
	for _, opt := range opts {
		opt(&o)
	}
	if o.err != nil {
		return nil, o.err
	}
	if o.threads < 0 || o.threads > 1024 {
		return nil, fmt.Errorf("train.threads: %d is not between 0 (automatic) and 1024", o.threads)
	}
	if o.threads == 0 {
		o.threads = runtime.GOMAXPROCS(0)
	}
	return &Backend{
		tier: o.tier, vec: vec.For(o.tier), workers: newWorkers(o.threads), memory: systemMemory(),
		bf16: o.bf16, tiled: o.tiled, depth: o.depth,
	}, nil
}

// Name is "cpu".
func (b *Backend) Name() string { return "cpu" }

// Capabilities tells threads and instruction tier.
func (b *Backend) Capabilities() backend.Capabilities {
	return backend.Capabilities{
		Device:      fmt.Sprintf("CPU, %d threads, %v", b.workers.count(), b.tier),
		MemoryBytes: b.memory,
		Precisions:  b.precisions(),
		Threads:     b.workers.count(),
		Fills:       true,
		Platform:    map[string]string{"instructions": fmt.Sprint(b.tier)},
		Target:      program.Target{Epilogue: hasEpilogue, Kernel: hasKernel, Precision: "float32", Align: 64},
	}
}

// Host returns ordinary memory.
func (b *Backend) Host(s graph.Spec) *tensor.Dense { return backend.NewHost(s) }

// NewState returns an empty State.
func (b *Backend) NewState() backend.State { return &state{} }

// Close ends the workers.
func (b *Backend) Close() error {
	b.workers.close()
	return nil
}
