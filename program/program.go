// Package program turns a graph into a Program: the list of steps that a backend runs, with every buffer placed.
//
// [Compile] runs the passes in the order of the table in compile.go, a pass a file: verify, expand, simplify (constants,
// arithmetic, moves of elements, common subexpressions), fuse, schedule, lower to steps over buffers, reuse and place them.
// Read Compile first, then fuse.go.
package program

import (
	"aetrain/graph"
)

// Target is what the passes need to know of a device.
type Target struct {
	// Epilogue says whether elementwise ops may run on the output of this op while it is being computed.
	Epilogue func(o graph.Op) bool
	// Kernel says whether the device computes this op itself; nil: it does, all of them. Composite ops without a kernel are
	// replaced by their definition in smaller ops.
	Kernel func(o graph.Op) bool
	// Precision is that of products: "float32", "tf32" or "bf16". A backend that lacks it asks for "float32".
	Precision string
	// Ranks is how many processes train together; 0 and 1 are the same.
	Ranks int
	// Align is the alignment of arena buffers in bytes; 0 means 64.
	Align int
}

// Program is a compiled graph: steps over buffers. It is read-only and may be loaded by any backend.
type Program struct {
	Inputs  []Port
	Outputs []Port
	States  []State
	Buffers []Buffer
	Steps   []Step
	// ArenaBytes is the size of the one block of memory that holds every buffer in place Arena.
	ArenaBytes int
	// Precision of products, the target's: "float32", "tf32" or "bf16". What a device lacks runs in float32.
	Precision string
	// NodesBefore and NodesAfter count the graph's nodes that were needed, before and after simplification.
	NodesBefore, NodesAfter int
}

// Port is a named input or output.
type Port struct {
	Name   string
	Spec   graph.Spec
	Buffer int
}

// State is a named buffer that outlives the step.
type State struct {
	Name     string
	Kind     graph.Kind
	Spec     graph.Spec
	Init     graph.Init
	Buffer   int
	Assigned bool // the program writes it
}

// Place says where a buffer lives.
type Place uint8

const (
	Arena    Place = iota // at Offset of the arena
	Input                 // fed; keeps its value until it is fed again
	Stored                // in the State, under Name
	Constant              // never changes; Data
)

// Buffer is memory that steps read and write. Values that are views of one another share a buffer.
type Buffer struct {
	Place  Place
	Name   string // of the input or state
	DType  graph.DType
	Size   int       // elements
	Offset int       // bytes, in the arena
	Data   []float64 // of a Constant: one number for all elements, or one for each
	// First and Last are the steps that write and read an Arena buffer first and last.
	First, Last int
}

// Bytes is the buffer's size in memory.
func (b Buffer) Bytes() int { return b.Size * b.DType.Bytes() }

// Step is one entry of the schedule: a node that does work of its own, followed or replaced by a fused chain.
type Step struct {
	// Node is the op to run; nil where the step is only a chain.
	Node *graph.Node
	// In and Out are the buffers of Node's inputs and outputs. Out is -1 for an output that nobody reads,
	// and for output 0 where Chain takes it and nobody else does.
	In, Out []int
	// Chain is elementwise work: on Node's output 0, block by block while it is in cache, or on its own.
	Chain *Chain
	// Path is the layer that the step belongs to.
	Path string
}

// Chain is a straight line of pointwise ops over one iteration space, read from Args and written to Outs and Sums.
// Its values are slots: first Node's output 0 if the step has a Node, then the Args, then the outputs of each op in turn.
//
// An element is read by all ops before any output of it is written, so an output may lie over an operand that is read densely;
// such an operand's slot is read by ops alone, never by Outs or Sums.
type Chain struct {
	Size int // elements of the iteration space
	Args []Arg
	Ops  []ChainOp
	Outs []Out
	Sums []Total
}

// Access says which element of an operand belongs to element i of the iteration space: (i / Inner) % Period.
// A dense operand has Inner 1 and Period Size; a scalar has Period 1; a bias of the last axis Inner 1 and Period D;
// a channel's value in N×C×H×W Inner H·W and Period C; a row's value in N×D Inner D and Period N.
type Access struct{ Inner, Period int }

// Arg is an operand from outside of the chain.
type Arg struct {
	Buffer int
	Access
}

// ChainOp is a pointwise op on slots.
type ChainOp struct {
	Node    *graph.Node
	In, Out []int
}

// Out writes a slot to a buffer of the iteration space's size.
type Out struct{ Slot, Buffer int }

// Total adds up a slot: element i goes to element (i/Inner)%Period of the buffer, which starts at zero.
// The order of addition is fixed by the sizes, never by the number of threads.
type Total struct {
	Slot, Buffer int
	Access
}
