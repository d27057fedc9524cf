// Package op is what can be computed: one file an op, with its contract, shape rule, gradient (written in ops), float64
// reference and examples. add.go, exp.go and kl_normal.go are the ones to read first.
//
// Conventions: values are float32 unless a doc comment says otherwise; images are N×C×H×W; "rows" are the first axis.
// Elementwise ops of two or more values broadcast as NumPy does. Backends look at an op's exported attribute fields
// and at its Name; what they do not know they may run by Eval, or by Expand where the op has it.
package op

import (
	"fmt"
	"sort"

	"aetrain/graph"
)

// Pointwise is implemented by ops whose outputs at an index depend on their inputs at that index alone. Inputs and outputs
// have one shape (broadcasting is an op of its own, see [BroadcastTo]), except inputs named by ScalarInputs.
// The compiler fuses them into chains.
type Pointwise interface {
	graph.Op
	// ScalarInputs is the index of the first input that is a scalar for all elements; len(inputs) if there is none.
	ScalarInputs(inputs int) int
}

// registry holds one value of each op type, by name; its Examples carry the attributes.
var registry = map[string]graph.Op{}

// add registers an op, from the init function of its file. A name used twice is a mistake in our own source.
func add(o graph.Op) {
	if registry[o.Name()] != nil {
		panic("op: " + o.Name() + " is registered twice")
	}
	registry[o.Name()] = o
}

func init() { add(graph.Sum{}) }

// All returns every registered op, sorted by name.
func All() []graph.Op {
	ops := make([]graph.Op, 0, len(registry))
	for _, o := range registry {
		ops = append(ops, o)
	}
	sort.Slice(ops, func(i, j int) bool { return ops[i].Name() < ops[j].Name() })
	return ops
}

// apply adds a node with one output.
func apply(o graph.Op, in ...graph.Value) graph.Value { return graph.Apply(o, in...)[0] }

// pointwise is embedded by elementwise ops of float32 values: all inputs and the one output have the same shape.
type pointwise struct{}

func (pointwise) ScalarInputs(inputs int) int { return inputs }

// Infer wants float32 inputs of one shape.
func (pointwise) Infer(in []graph.Spec) ([]graph.Spec, error) {
	for _, s := range in {
		if s.DType != graph.Float32 {
			return nil, fmt.Errorf("wants float32 values, got %v", s.DType)
		}
		if !s.Shape.Equal(in[0].Shape) {
			return nil, fmt.Errorf("shapes %v and %v differ", in[0].Shape, s.Shape)
		}
	}
	return []graph.Spec{in[0]}, nil
}

// map1 and map2 write the reference of an elementwise op of one or two inputs.
func map1(out, in []graph.Tensor, f func(x float64) float64) {
	for i, x := range in[0].Data {
		out[0].Data[i] = f(x)
	}
}

func map2(out, in []graph.Tensor, f func(x, y float64) float64) {
	for i, x := range in[0].Data {
		out[0].Data[i] = f(x, in[1].Data[i])
	}
}

// one wraps the gradient of an op with a single input.
func one(d graph.Value) []graph.Value { return []graph.Value{d} }

// points are the usual examples of an elementwise op: inputs drawn from [from, to), of several sizes.
func points(o graph.Op, inputs int, from, to float64) []graph.Example {
	return []graph.Example{
		example(o, inputs, from, to, 3, 7),
		example(o, inputs, from, to, 1),
		example(o, inputs, from, to, 2, 3, 5, 4),
		example(o, inputs, from, to), // a scalar
		bench(example(o, inputs, from, to, 128, 784)),
	}
}

func example(o graph.Op, inputs int, from, to float64, dims ...int) graph.Example {
	e := graph.Example{Op: o, Args: make([]graph.Arg, inputs)}
	for i := range e.Args {
		e.Args[i] = graph.Arg{Spec: graph.F32(dims...), From: from, To: to}
	}
	return e
}

func bench(e graph.Example) graph.Example { e.Bench = true; return e }

// kinked marks examples of ops whose gradient jumps.
func kinked(es []graph.Example) []graph.Example {
	for i := range es {
		es[i].Kinked = true
	}
	return es
}

// f32 is an argument of these axes, drawn from [-1, 1).
func f32(dims ...int) graph.Arg { return graph.Arg{Spec: graph.F32(dims...), From: -1, To: 1} }

// broadcast makes elementwise arguments equal in shape.
func broadcast(vs ...graph.Value) []graph.Value {
	shape := graph.Shape{}
	for _, v := range vs {
		s, ok := broadcastShape(shape, v.Shape())
		if !ok {
			if g := v.Graph(); g != nil {
				g.Fail(fmt.Errorf("shapes %v and %v do not broadcast", shape, v.Shape()))
			}
			return vs
		}
		shape = s
	}
	out := make([]graph.Value, len(vs))
	for i, v := range vs {
		out[i] = BroadcastTo(v, shape...)
	}
	return out
}

// broadcastShape follows NumPy: axes are aligned at the end, and a size of 1 stretches.
func broadcastShape(a, b graph.Shape) (graph.Shape, bool) {
	if len(a) < len(b) {
		a, b = b, a
	}
	out := a.Clone()
	for i := range b {
		j := len(a) - len(b) + i
		switch {
		case a[j] == b[i] || b[i] == 1:
		case a[j] == 1:
			out[j] = b[i]
		default:
			return nil, false
		}
	}
	return out, true
}
