// Package backend is the contract of a device: what runs Programs over a State.
//
// A Backend makes a State (named buffers that outlive a step) and loads Programs into Executables, which choose a kernel for
// each step and reserve everything they need; running a step then allocates, looks up and decides nothing.
// Package backendtest is the suite that every implementation passes by one call.
package backend

import (
	"context"
	"errors"

	"gorgonia.org/tensor"

	"aetrain/graph"
	"aetrain/program"
)

// ErrUnsupported is wrapped by errors of Load that mean: this device has no kernel for that.
var ErrUnsupported = errors.New("unsupported")

// ErrOutOfMemory is wrapped by errors of Load and of State.Write that mean: the device has too little memory for that.
var ErrOutOfMemory = errors.New("out of memory")

// Backend is a device that is open.
type Backend interface {
	// Name is the device as the config names it: "cpu", "cuda:0".
	Name() string
	// Capabilities tells what it has.
	Capabilities() Capabilities
	// Host returns a zeroed host tensor for one fed or fetched value: what the loader fills.
	Host(s graph.Spec) *tensor.Dense
	// NewState returns an empty State of this device.
	NewState() State
	// Load prepares programs to run over st. States that st lacks are added with their first value, drawn with Options.Seed.
	// Programs loaded together share one arena: outputs of one must be fetched before another runs.
	Load(st State, o Options, ps ...*program.Program) ([]Executable, error)
	// Close frees the device; executables and states of it are unusable then.
	Close() error
}

// Capabilities describes a device.
type Capabilities struct {
	Device      string   // for people: "AMD EPYC, 2 threads, avx2"
	MemoryBytes int64    // free for programs; 0 if unknown
	Precisions  []string // of products: "float32", "tf32", "bf16"
	Threads     int
	Own         bool // memory of its own: what is kept there need not be fed
	Fills       bool // its executables are Fillers
	// Platform is what the bits of a result depend on beside kernels, by name: the model of the device, versions of its driver and
	// libraries, the set of instructions.
	Platform map[string]string
	Target   program.Target
}

// Options of Load.
type Options struct {
	Seed     uint64            // of the states' first values
	Kernels  map[string]string // an op's name (as in the config: "conv2d") to a candidate's
	Autotune bool              // measure candidates instead of taking the first that fits
	Strict   bool              // refuse steps that would run by the reference on the host
}

// State holds named tensors between steps. Read and Write copy; both want the exact shape and type.
type State interface {
	// Names lists the states in the order in which programs declared them.
	Names() []string
	// Spec returns shape and type of a state, false if there is none of that name.
	Spec(name string) (graph.Spec, graph.Kind, bool)
	// Read copies a state to dst.
	Read(name string, dst *tensor.Dense) error
	// Write copies src to a state; it adds the state (as kind k) where there is none yet.
	Write(name string, k graph.Kind, src *tensor.Dense) error
}

// Executable is a loaded Program. One goroutine at a time.
type Executable interface {
	// Feed copies src to an input, which keeps it for every Run until the next Feed.
	Feed(input string, src *tensor.Dense) error
	// Run starts a step.
	Run(ctx context.Context) error
	// Fetch waits for the step and copies an output.
	Fetch(output string, dst *tensor.Dense) error
	// Explain tells for each step of the program which kernel runs it and why.
	Explain() []Choice
	// Program returns what was loaded.
	Program() *program.Program
	Close() error
}

// Choice is the kernel of one step.
type Choice struct {
	Step   int
	Op     string // "Conv2D"
	Path   string // of the layer
	Kernel string // the candidate's name; "reference" runs Eval on the host
	Reason string // "config", "measured", "first that fits"
	Shape  string
	FLOP   float64 // multiplications and additions of the step's product, 0 for other steps
	// DepthFirst says that the step runs block by block with others, where Profile times it alone.
	DepthFirst bool
	// Precision is that of the product, where it is not the program's: what has no kernel in that runs in float32.
	Precision string
}
