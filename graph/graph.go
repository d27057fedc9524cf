// Package graph is the static graph that everything else builds, differentiates and compiles.
//
// A Graph holds Nodes, each the application of an Op to Values; a Value is one output of a Node and its Spec is known as soon
// as it is built. Shapes are concrete. [Apply] adds a node, [VJP] and [Grad] add the nodes of a gradient, [Evaluate] computes
// values in float64: the definition that every backend is held to. Read those three first.
//
// A Graph keeps its first error, with the layer's path and the source line that caused it, and goes on with values that stand
// for nothing, so that code which builds a model reads as formulas; whoever compiles the graph asks [Graph.Err] once.
package graph

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// Op is what can be computed. The ops themselves live in package op, one file each.
// Optional interfaces, by assertion: [Expander], [Argument].
type Op interface {
	// Name is the op's kind in listings, errors and the config, in the field's spelling: "Conv2D".
	Name() string
	// Infer is the shape rule: the outputs' Specs, or one sentence that says what is wrong.
	Infer(in []Spec) ([]Spec, error)
	// VJP is the gradient: for each input the vector-Jacobian product with dOut, written in ops.
	// A zero Value means that no gradient flows to that input.
	VJP(n *Node, dOut []Value) []Value
	// Eval is the definition, in float64. Outputs come allocated and zero.
	Eval(out, in []Tensor)
	// Examples are small cases for tests; those marked Bench are timed instead.
	Examples() []Example
}

// Expander is implemented by composite ops: the same in smaller ops, one value an output.
type Expander interface{ Expand(n *Node) []Value }

// Argument is implemented by ops that name their inputs for error messages.
type Argument interface{ Arguments() []string }

// Node is one application of an Op.
type Node struct {
	ID    int // position in build order; inputs have smaller ones
	Op    Op
	In    []Value
	Out   []Spec
	Path  string // of the layer that built it: "encoder.0"
	graph *Graph
}

// Value returns output i.
func (n *Node) Value(i int) Value { return Value{Node: n, Index: i} }

// Graph returns the graph that holds n.
func (n *Node) Graph() *Graph { return n.graph }

// Value is one output of a Node. The zero Value stands for "nothing": no gradient, an optional input left out.
type Value struct {
	Node  *Node
	Index int
}

// Valid reports whether v is a value at all.
func (v Value) Valid() bool { return v.Node != nil }

// Spec returns shape and element type.
func (v Value) Spec() Spec {
	if v.Node == nil {
		return Spec{}
	}
	return v.Node.Out[v.Index]
}

// Shape returns the axes' sizes.
func (v Value) Shape() Shape { return v.Spec().Shape }

// Rank is the number of axes.
func (v Value) Rank() int { return len(v.Shape()) }

// Dim returns the size of axis i; negative i counts from the end. It is 1 where there is no such axis,
// so that formulas over shapes survive a graph that already holds an error.
func (v Value) Dim(i int) int {
	s := v.Shape()
	if i < 0 {
		i += len(s)
	}
	if i < 0 || i >= len(s) {
		return 1
	}
	return s[i]
}

// Graph returns the graph that v belongs to, nil for the zero Value.
func (v Value) Graph() *Graph {
	if v.Node == nil {
		return nil
	}
	return v.Node.graph
}

// Kind says what becomes of a state between steps and in a checkpoint.
type Kind uint8

const (
	Param   Kind = iota // trained and saved
	Buffer              // saved, not trained: running statistics, counters, moments
	Scratch             // lives between steps of one process, never saved
)

// String returns param, buffer or scratch.
func (k Kind) String() string { return [...]string{"param", "buffer", "scratch"}[k] }

// Init fills a state's first value. It depends on the seed and the state's name alone, so that the order in which
// a model is built changes nothing. A nil Init is zeros.
type Init func(seed uint64, name string, t Tensor)

// State is a named buffer that outlives a step.
type State struct {
	Name string
	Kind Kind
	Spec Spec
	Init Init
	Leaf Value // its value when the step begins
	Now  Value // its value at this point of the build: Leaf, or what was assigned last
}

// Graph is built by one goroutine.
type Graph struct {
	nodes   []*Node
	inputs  []*Node
	states  []*State
	byName  map[string]*State
	streams map[uint32]string
	path    string
	err     error
}

// New returns an empty graph.
func New() *Graph {
	return &Graph{byName: map[string]*State{}, streams: map[uint32]string{}}
}

// Nodes returns all nodes in build order.
func (g *Graph) Nodes() []*Node { return g.nodes }

// States returns all states in the order of their declaration.
func (g *Graph) States() []*State { return g.states }

// Inputs returns the input nodes in the order of their declaration; their Op is an [Input].
func (g *Graph) Inputs() []*Node { return g.inputs }

// Err returns the first error of the build.
func (g *Graph) Err() error { return g.err }

// Fail records err as the graph's error unless it has one already. The message gets the current path and source line.
func (g *Graph) Fail(err error) {
	if g.err == nil {
		g.err = fmt.Errorf("%w (%s)", err, g.place())
	}
}

// Path is the path that new nodes get.
func (g *Graph) Path() string { return g.path }

// Enter appends name to the path of the nodes built from now on and returns a function that leaves it again.
func (g *Graph) Enter(name string) (leave func()) {
	old := g.path
	g.path = Join(old, name)
	return func() { g.path = old }
}

// Join joins two parts of a path by a dot; an empty part adds nothing.
func Join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "." + b
}

// Input declares a fed value: a field of the batch, or a scalar that a schedule feeds. The same name twice is the same value
// and must have the same Spec.
func (g *Graph) Input(name string, s Spec) Value {
	for _, n := range g.inputs {
		if n.Op.(Input).Label == name {
			if !n.Out[0].Equal(s) {
				g.Fail(fmt.Errorf("input %s is %v here and was %v before", name, s, n.Out[0]))
			}
			return n.Value(0)
		}
	}
	v := g.add(Input{Label: name, Spec: s}, nil, []Spec{s}).Value(0)
	g.inputs = append(g.inputs, v.Node)
	return v
}

// State declares a state, or returns the one of that name: its value at this point of the build.
// init is what it holds before the first step (nil: zeros).
func (g *Graph) State(k Kind, name string, s Spec, init Init) Value {
	if st := g.byName[name]; st != nil {
		if !st.Spec.Equal(s) || st.Kind != k {
			g.Fail(fmt.Errorf("state %s is a %v %v here and was a %v %v before", name, k, s, st.Kind, st.Spec))
		}
		return st.Now
	}
	leaf := g.add(Read{Label: name, Spec: s}, nil, []Spec{s}).Value(0)
	st := &State{Name: name, Kind: k, Spec: s, Init: init, Leaf: leaf, Now: leaf}
	g.byName[name] = st
	g.states = append(g.states, st)
	return leaf
}

// Lookup returns the state of that name, nil if there is none.
func (g *Graph) Lookup(name string) *State { return g.byName[name] }

// Assign sets the state that v reads (the result of [Graph.State], assigned or not): later reads in build order see value,
// and it is written back at the step's end.
func (g *Graph) Assign(state, value Value) {
	if g.err != nil {
		return
	}
	st := g.holds(state)
	switch {
	case st == nil:
		g.Fail(errors.New("assign: the first argument is no state"))
	case value.Graph() != g:
		g.Fail(fmt.Errorf("assign: what state %s is assigned is no value of the graph", st.Name))
	case !st.Spec.Equal(value.Spec()):
		g.Fail(fmt.Errorf("state %s is %v, assigned %v", st.Name, st.Spec, value.Spec()))
	default:
		// A value stands for one state at most: b assigned what a holds is still b, for whoever assigns it next.
		if other := g.holds(value); other != nil && other != st {
			value = g.Apply(Identity{}, value)[0]
		}
		st.Now = value
	}
}

// holds returns the state that v is the value of, nil if there is none.
func (g *Graph) holds(v Value) *State {
	for _, st := range g.states {
		if st.Leaf == v || st.Now == v {
			return st
		}
	}
	return nil
}

// Constant returns a value that never changes; data holds one number (for all elements) or one for each.
func (g *Graph) Constant(s Spec, data ...float64) Value {
	if n := s.Shape.Size(); len(data) != 1 && len(data) != n {
		g.Fail(fmt.Errorf("constant: %d numbers for %v", len(data), s))
		data = []float64{0}
	}
	return g.add(Constant{Spec: s, Data: data}, nil, []Spec{s}).Value(0)
}

// Scalar returns a float32 constant.
func (g *Graph) Scalar(x float64) Value { return g.Constant(F32(), x) }

// Stream claims the random stream of the current path and name: the 32-bit FNV-1a of the two, joined by a dot.
// Two draws of one graph never share a stream: a second claim is an error that names both.
func (g *Graph) Stream(name string) uint32 {
	path := Join(g.path, name)
	h := uint32(2166136261)
	for i := 0; i < len(path); i++ {
		h = (h ^ uint32(path[i])) * 16777619
	}
	if other, taken := g.streams[h]; taken {
		g.Fail(fmt.Errorf("random values %s and %s would draw the same numbers: name one of them differently", other, path))
	}
	g.streams[h] = path
	return h
}

// Apply adds a node that applies op to in and returns its outputs. Where the graph already has an error, or gets one here,
// the outputs stand for nothing and their shapes are empty.
func (g *Graph) Apply(op Op, in ...Value) []Value {
	specs := make([]Spec, len(in))
	for i, v := range in {
		switch {
		case g.err != nil:
			return g.nothing(op)
		case v.Node == nil:
			g.Fail(fmt.Errorf("%s: input %d is missing", op.Name(), i))
			return g.nothing(op)
		case v.Node.graph != g:
			g.Fail(fmt.Errorf("%s: input %d belongs to another graph", op.Name(), i))
			return g.nothing(op)
		}
		specs[i] = v.Spec()
	}
	out, err := op.Infer(specs)
	if err != nil {
		g.Fail(fmt.Errorf("%s: %w (%s)", op.Name(), err, describe(op, specs)))
		return g.nothing(op)
	}
	return g.add(op, in, out).outputs()
}

// Apply adds a node to the graph of its first input; see [Graph.Apply].
func Apply(op Op, in ...Value) []Value {
	for _, v := range in {
		if g := v.Graph(); g != nil {
			return g.Apply(op, in...)
		}
	}
	panic("graph: " + op.Name() + " has no input to take its graph from; use Graph.Apply")
}

func (g *Graph) add(op Op, in []Value, out []Spec) *Node {
	n := &Node{ID: len(g.nodes), Op: op, In: append([]Value(nil), in...), Out: out, Path: g.path, graph: g}
	g.nodes = append(g.nodes, n)
	return n
}

func (n *Node) outputs() []Value {
	vs := make([]Value, len(n.Out))
	for i := range vs {
		vs[i] = n.Value(i)
	}
	return vs
}

// maxOutputs is how many outputs a failed node pretends to have: no op has more.
const maxOutputs = 16

// nothing stands for the outputs of an op that could not be applied.
func (g *Graph) nothing(op Op) []Value {
	return (&Node{ID: -1, Op: op, Out: make([]Spec, maxOutputs), Path: g.path, graph: g}).outputs()
}

func describe(op Op, in []Spec) string {
	names, _ := op.(Argument)
	parts := make([]string, len(in))
	for i, s := range in {
		parts[i] = s.String()
		if names != nil && i < len(names.Arguments()) {
			parts[i] = names.Arguments()[i] + " " + parts[i]
		}
	}
	return strings.Join(parts, ", ")
}

// place is the current path and the nearest line of the program that is neither graph nor op.
func (g *Graph) place() string {
	where := g.path
	pc := make([]uintptr, 32)
	frames := runtime.CallersFrames(pc[:runtime.Callers(2, pc)])
	for {
		f, more := frames.Next()
		if !strings.Contains(f.Function, "aetrain/graph.") && !strings.Contains(f.Function, "aetrain/op.") {
			if where != "" {
				where += ", "
			}
			return fmt.Sprintf("%sbuilt at %s:%d", where, filepath.Base(f.File), f.Line)
		}
		if !more {
			return where
		}
	}
}
