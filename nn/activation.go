package nn

import (
	"aetrain/graph"
	"aetrain/internal/registry"
	"aetrain/op"
)

// Function is an elementwise activation.
type Function func(x graph.Value) graph.Value

// Activations is the registry of [Function], by the names that layers use.
var Activations = registry.New[Function]("activation")

// leakySlope and eluAlpha are PyTorch's defaults.
const (
	leakySlope = 0.01
	eluAlpha   = 1
)

func init() {
	for name, f := range map[string]Function{
		"linear":     func(x graph.Value) graph.Value { return x },
		"relu":       op.ReLU,
		"leaky_relu": func(x graph.Value) graph.Value { return op.LeakyReLU(x, leakySlope) },
		"elu":        func(x graph.Value) graph.Value { return op.ELU(x, eluAlpha) },
		"gelu":       op.GELU,
		"silu":       op.SiLU,
		"tanh":       op.Tanh,
		"sigmoid":    op.Sigmoid,
		"softplus":   op.Softplus,
	} {
		Activations.Add(name, func() Function { return f })
	}
	Layers.Add("activation", func() Layer { return &Activation{} })
}

// Activation applies a function to each element.
type Activation struct {
	Common
	Function string `toml:"kind" required:"true" choices:"linear|relu|leaky_relu|elu|gelu|silu|tanh|sigmoid|softplus" doc:"the function" example:"\"relu\""`
}

// Kind is "activation".
func (*Activation) Kind() string { return "activation" }

func (*Activation) decorates() {}

// Output is the input's shape.
func (*Activation) Output(in graph.Shape) (graph.Shape, error) { return in, nil }

// Build applies the function.
func (l *Activation) Build(_ *Scope, x graph.Value) graph.Value { return Activate(l.Function, x) }

// Activate applies the activation of that name, linear where there is none.
func Activate(name string, x graph.Value) graph.Value {
	if f, ok := Activations.Make(name); ok {
		return f(x)
	}
	return x
}

// Mirror is nothing: a mirror keeps the layer itself.
func (*Activation) Mirror(graph.Shape) ([]Layer, error) { return nil, nil }
