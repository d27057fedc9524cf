package op

import "aetrain/graph"

func init() { add(stop{}) }

// Stop returns x, through which no gradient flows.
func Stop(x graph.Value) graph.Value { return apply(stop{}, x) }

type stop struct{}

func (stop) Name() string { return "StopGradient" }

// Forwards tells compilers that the result is input 0.
func (stop) Forwards() int { return 0 }

func (stop) Infer(in []graph.Spec) ([]graph.Spec, error) { return []graph.Spec{in[0]}, nil }

func (stop) VJP(*graph.Node, []graph.Value) []graph.Value { return none(1) }

func (stop) Eval(out, in []graph.Tensor) { copy(out[0].Data, in[0].Data) }

func (stop) Examples() []graph.Example { return chosen(points(stop{}, 1, -2, 2)) }
