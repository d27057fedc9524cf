package op

import (
	"fmt"

	"aetrain/graph"
)

func init() { add(Controlled{Gate: "x", Target: 1}) }

// ControlledGate applies a gate to the target where the control qubit is 1: "x" (CNOT) exchanges the two amplitudes of the
// target, a permutation; "z" (CZ) turns the sign of the one where both are 1. states are N×2×2^qubits, see [Rotate].
// Both undo themselves, so that their gradient is the gate again.
func ControlledGate(state graph.Value, gate string, control, target int) graph.Value {
	return apply(Controlled{Gate: gate, Control: control, Target: target}, state)
}

// Controlled is the op of [ControlledGate].
type Controlled struct {
	Gate            string // x or z
	Control, Target int
}

// Name returns "Controlled".
func (Controlled) Name() string { return "Controlled" }

// Infer wants states with both qubits.
func (o Controlled) Infer(in []graph.Spec) ([]graph.Spec, error) {
	if err := wantStates(in[0], o.Control, o.Target); err != nil {
		return nil, err
	}
	if o.Control == o.Target {
		return nil, fmt.Errorf("qubit %d cannot control itself", o.Control)
	}
	if o.Gate != "x" && o.Gate != "z" {
		return nil, fmt.Errorf("gate %q is neither x nor z", o.Gate)
	}
	return []graph.Spec{in[0]}, nil
}

// VJP is the gate again.
func (o Controlled) VJP(_ *graph.Node, dOut []graph.Value) []graph.Value {
	return one(apply(o, dOut[0]))
}

// Eval is the definition.
func (o Controlled) Eval(out, in []graph.Tensor) {
	size := in[0].Shape[2]
	control, target := QubitStride(in[0].Shape, o.Control), QubitStride(in[0].Shape, o.Target)
	for at, x := range in[0].Data {
		i := at & (size - 1)
		switch {
		case i&control == 0:
		case o.Gate == "x":
			x = in[0].Data[at^target]
		case i&target != 0:
			x = -x
		}
		out[0].Data[at] = x
	}
}

// Examples control upwards and downwards.
func (Controlled) Examples() []graph.Example {
	of := func(gate string, control, target, n, qubits int) graph.Example {
		return graph.Example{Op: Controlled{Gate: gate, Control: control, Target: target}, Args: []graph.Arg{f32(n, 2, 1<<qubits)}}
	}
	return []graph.Example{
		of("x", 0, 1, 3, 2), of("x", 2, 0, 3, 3), of("z", 0, 1, 3, 2), of("z", 3, 1, 2, 4), of("x", 4, 3, 1, 5), bench(of("x", 3, 4, 64, 10)),
	}
}
