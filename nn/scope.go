// Package nn turns layers, as a configuration names them, into graph: [Layer] is the contract, [NewStack] puts a list of them
// together and infers every size, [Stack.Mirror] reverses it, [Scope] is the place where a layer declares weights, running
// statistics and random draws. Read those first; dense.go is the model of a layer.
//
// Shapes of layers are those of one example, without the batch axis: a vector D, a sequence T×D, an image C×H×W.
package nn

import (
	"strconv"
	"strings"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/op"
)

// Scope is the place where a layer is built: a graph, a path ("encoder.0"), the mode, and the random numbers. It is cheap.
type Scope struct {
	b    *building
	path string             // of states
	mask func() graph.Value // of the sequences here; nil: all times are valid

	frozen bool // what is built here is as outside of training
	given  func(state string, own graph.Init) graph.Init
}

// building is what all scopes of one graph share.
type building struct {
	g       *graph.Graph
	o       ScopeOptions
	root    string // of all paths: of a model of its own among others
	scalars *[]ScalarInput
	outputs map[string]graph.Value
	again   int
}

// ScopeOptions say what a graph is built for.
type ScopeOptions struct {
	Training bool   // dropout is active, batch norm takes the batch's statistics and keeps running ones
	RNG      op.RNG // of everything random
	Rows     int    // examples in the batch: a draw over Rows×k rows belongs to Rows examples; 0: rows are examples

	Connections func(path string) float64 // share of the connections that the dense layer at a path has, drawn once; nil: all
}

// ScalarInput is a float32 scalar input of the graph that a schedule feeds.
type ScalarInput struct {
	Input    string // the graph's input
	Schedule configs.Scalar
}

// NewScope returns the root scope of a graph.
func NewScope(g *graph.Graph, o ScopeOptions) *Scope {
	return &Scope{b: &building{g: g, o: o, scalars: new([]ScalarInput), outputs: map[string]graph.Value{}}}
}

// Graph returns the graph that is being built.
func (s *Scope) Graph() *graph.Graph { return s.b.g }

// Training reports whether the graph is built for training.
func (s *Scope) Training() bool { return s.b.o.Training && !s.frozen }

// Frozen returns the scope for parts that run in front of what is trained and stay as they are: no dropout, running statistics.
func (s *Scope) Frozen() *Scope {
	c := *s
	c.frozen = true
	return &c
}

// Given returns the frozen scope of parts that nothing trains: what would be a parameter is a buffer, and what buffers begin with is
// for init to say, which is told a state's name and how it would begin by itself.
func (s *Scope) Given(init func(state string, own graph.Init) graph.Init) *Scope {
	c := s.Frozen()
	c.given = init
	return c
}

// RNG returns the random numbers of the graph.
func (s *Scope) RNG() op.RNG { return s.b.o.RNG }

// Path returns the path that the scope's states begin with.
func (s *Scope) Path() string { return s.path }

// Sub returns the scope of a part: states that it declares are called PATH.name.
func (s *Scope) Sub(name string) *Scope { return s.at(graph.Join(s.path, name)) }

// At returns the scope of a whole path, wherever s is: for weights that two layers share.
func (s *Scope) At(path string) *Scope { return s.at(graph.Join(s.b.root, path)) }

func (s *Scope) at(path string) *Scope {
	c := *s
	c.path = path
	return &c
}

// Apart runs build in the root scope of a model of its own within the graph, one of several alike: the paths of its states and random
// draws begin with name, what it shares and finds by path is its own. Scheduled scalars are common to all.
func (s *Scope) Apart(name string, build func(*Scope)) {
	defer s.b.g.Enter(name)()
	b := *s.b
	b.root, b.outputs = graph.Join(s.b.root, name), map[string]graph.Value{}
	c := *s
	c.b, c.path = &b, b.root
	build(&c)
}

// Common returns the scope of what all models of the graph have in common: its paths lack the model's own beginning.
func (s *Scope) Common() *Scope {
	if s.b.root == "" {
		return s
	}
	b, c := *s.b, *s
	b.root, c.b = "", &b
	c.path = strings.TrimPrefix(strings.TrimPrefix(s.path, s.b.root), ".")
	return &c
}

// Inner is a state's name without the scope's root; ok is false where it belongs to another model of the graph.
func (s *Scope) Inner(state string) (name string, ok bool) {
	if s.b.root == "" {
		return state, true
	}
	return strings.CutPrefix(state, s.b.root+".")
}

// Masked returns the scope for sequences of which mask (N×T, float32) says what is valid; it is called where a layer asks.
func (s *Scope) Masked(mask func() graph.Value) *Scope {
	c := *s
	c.mask = mask
	return &c
}

// Mask is 1 where the sequences x, N×T×..., are valid; the zero Value where all of them are, or where x has other times than the data.
func (s *Scope) Mask(x graph.Value) graph.Value {
	if s.mask == nil {
		return graph.Value{}
	}
	if m := s.mask(); m.Rank() == 2 && x.Rank() > 1 && m.Dim(0) == x.Dim(0) && m.Dim(1) == x.Dim(1) {
		return m
	}
	return graph.Value{}
}

// Within runs build in the scope of a part, with the graph's path set to it: nodes, errors and random streams carry it.
func (s *Scope) Within(name string, build func(*Scope) graph.Value) graph.Value {
	defer s.b.g.Enter(name)()
	return build(s.Sub(name))
}

// Again runs build as another application of parts that the graph may hold already: the same weights, random numbers of its own.
func (s *Scope) Again(build func(*Scope) graph.Value) graph.Value {
	s.b.again++
	defer s.b.g.Enter("again" + strconv.Itoa(s.b.again))()
	return build(s)
}

// Param declares a trained state PATH.name, or returns the one of that name. init depends on the seed and the state's name alone.
func (s *Scope) Param(name string, init graph.Init, dims ...int) graph.Value {
	if s.given != nil {
		return s.Buffer(name, init, graph.F32(dims...))
	}
	return s.b.g.State(graph.Param, graph.Join(s.path, name), graph.F32(dims...), init)
}

// Buffer declares a state PATH.name that is saved but not trained, such as a running mean: its value at this point of the build.
func (s *Scope) Buffer(name string, init graph.Init, spec graph.Spec) graph.Value {
	state := graph.Join(s.path, name)
	if s.given != nil {
		init = s.given(state, init)
	}
	return s.b.g.State(graph.Buffer, state, spec, init)
}

// Assign sets a state: later reads in build order see v, and it is written back at the step's end.
func (s *Scope) Assign(state, v graph.Value) { s.b.g.Assign(state, v) }

// Scalar returns a number that may follow a schedule: a constant, or the input "schedule.PATH.name" that the trainer feeds,
// so that a change from step to step needs no other program.
func (s *Scope) Scalar(name string, c configs.Scalar) graph.Value {
	if c.Constant() {
		return s.b.g.Scalar(c.Final())
	}
	path, _ := s.Inner(s.path)
	input := graph.Join("schedule", graph.Join(path, name))
	for _, have := range *s.b.scalars {
		if have.Input == input {
			return s.b.g.Input(input, graph.F32())
		}
	}
	*s.b.scalars = append(*s.b.scalars, ScalarInput{Input: input, Schedule: c})
	return s.b.g.Input(input, graph.F32())
}

// Scalars returns the scheduled inputs declared so far.
func (s *Scope) Scalars() []ScalarInput { return *s.b.scalars }

// Keep remembers a layer's output under its path or name, for penalties and features that ask for it. The first one stays.
func (s *Scope) Keep(path string, v graph.Value) {
	if inner, ok := s.Inner(path); ok {
		path = inner
	}
	if _, have := s.b.outputs[path]; !have {
		s.b.outputs[path] = v
	}
}

// Output returns what Keep has remembered.
func (s *Scope) Output(path string) (graph.Value, bool) {
	v, ok := s.b.outputs[path]
	return v, ok
}

// Rows returns the number of examples in the batch whose layers x belongs to, which has this many rows.
func (s *Scope) rows(shape graph.Shape) []int {
	if n := s.b.o.Rows; n > 0 && len(shape) > 0 && shape[0] != n && shape[0]%n == 0 {
		return append([]int{n, shape[0] / n}, shape[1:]...)
	}
	return shape
}

// Normal draws standard normal numbers of this shape, whose first axis is examples, or several rows each.
func (s *Scope) Normal(name string, shape graph.Shape) graph.Value {
	return op.Reshape(op.Normal(s.b.o.RNG, name, s.rows(shape)...), shape...)
}

// Uniform draws numbers in [0, 1).
func (s *Scope) Uniform(name string, shape graph.Shape) graph.Value {
	return op.Reshape(op.Uniform(s.b.o.RNG, name, s.rows(shape)...), shape...)
}

// Bernoulli draws 1 with probability p, else 0.
func (s *Scope) Bernoulli(name string, p float64, shape graph.Shape) graph.Value {
	return op.Reshape(op.Bernoulli(s.b.o.RNG, name, p, s.rows(shape)...), shape...)
}
