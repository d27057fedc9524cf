package op

import (
	"fmt"
	"math"

	"aetrain/graph"
)

func init() { add(Rotation{Axis: "y"}) }

// MostQubits is how many qubits a state vector may have: 4096 amplitudes.
const MostQubits = 12

// Rotate turns one qubit of each state by an angle about an axis, "x", "y" or "z": exp(-iθP/2) with the Pauli matrix P.
//
//	state: N×2×2^qubits, real and imaginary parts of the amplitudes; qubit 0 is the highest bit of an amplitude's number
//	angle: N in radians, or 1 for all of them
//
// The gate is orthogonal on the two planes, so that its gradient is the rotation back; dy/dθ = -iP·y/2 is y turned by π, halved.
// Source: Nielsen & Chuang 2010, "Quantum Computation and Quantum Information", eq. 4.4 to 4.6.
func Rotate(state, angle graph.Value, axis string, qubit int) graph.Value {
	return apply(Rotation{Axis: axis, Qubit: qubit}, state, angle)
}

// Rotation is the op of [Rotate].
type Rotation struct {
	Axis  string // x, y or z
	Qubit int
}

// Name returns "Rotation".
func (Rotation) Name() string { return "Rotation" }

// Arguments returns the names of the inputs.
func (Rotation) Arguments() []string { return []string{"state", "angle"} }

// Infer wants states and an angle for each, or one.
func (o Rotation) Infer(in []graph.Spec) ([]graph.Spec, error) {
	state, angle := in[0], in[1]
	if err := wantStates(state, o.Qubit); err != nil {
		return nil, err
	}
	if o.Axis != "x" && o.Axis != "y" && o.Axis != "z" {
		return nil, fmt.Errorf("axis %q is none of x, y, z", o.Axis)
	}
	if angle.DType != graph.Float32 || len(angle.Shape) != 1 || angle.Shape[0] != 1 && angle.Shape[0] != state.Shape[0] {
		return nil, fmt.Errorf("angle is %v, want one or one of each of %d states", angle, state.Shape[0])
	}
	return []graph.Spec{state}, nil
}

// wantStates is the rule of state vectors that have these qubits.
func wantStates(state graph.Spec, qubits ...int) error {
	n := Qubits(state.Shape)
	if n == 0 || state.DType != graph.Float32 {
		return fmt.Errorf("state is %v, want N×2×2^qubits of 1 to %d qubits", state, MostQubits)
	}
	for _, q := range qubits {
		if q < 0 || q >= n {
			return fmt.Errorf("there is no qubit %d: the state has %d", q, n)
		}
	}
	return nil
}

// Qubits is how many qubits states of this shape, N×2×2^qubits, have; 0: the shape is none of states.
func Qubits(states graph.Shape) int {
	if len(states) == 3 && states[1] == 2 {
		for n := 1; n <= MostQubits; n++ {
			if states[2] == 1<<n {
				return n
			}
		}
	}
	return 0
}

// VJP turns back, and takes half the overlap with the result turned by π for the angle.
func (o Rotation) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	angle, out := n.In[1], n.Value(0)
	half := n.Graph().Constant(graph.F32(1), math.Pi)
	turned := Rotate(out, half, o.Axis, o.Qubit)
	dAngle := Scale(SumPerExample(Mul(dOut[0], turned)), 0.5)
	if angle.Dim(0) != out.Dim(0) {
		dAngle = Reshape(ReduceSum(dAngle, 0), 1)
	}
	return []graph.Value{Rotate(dOut[0], Neg(angle), o.Axis, o.Qubit), dAngle}
}

// Eval is the definition, in complex numbers.
func (o Rotation) Eval(out, in []graph.Tensor) {
	state, size := in[0], in[0].Shape[2]
	stride := QubitStride(state.Shape, o.Qubit)
	for n := range state.Shape[0] {
		angle := in[1].Data[n%in[1].Shape[0]] / 2
		c, s := complex(math.Cos(angle), 0), complex(math.Sin(angle), 0)
		re, im := state.Data[2*n*size:][:size], state.Data[(2*n+1)*size:][:size]
		for i := range size {
			j := i ^ stride
			up := i&stride == 0
			own, other := complex(re[i], im[i]), complex(re[j], im[j])
			y := c * own
			switch {
			case o.Axis == "x":
				y -= 1i * s * other
			case o.Axis == "y" && up:
				y -= s * other
			case o.Axis == "y":
				y += s * other
			case up:
				y -= 1i * s * own
			default:
				y += 1i * s * own
			}
			out[0].Data[2*n*size+i], out[0].Data[(2*n+1)*size+i] = real(y), imag(y)
		}
	}
}

// QubitStride is how far apart two amplitudes lie that differ in a qubit alone.
func QubitStride(states graph.Shape, qubit int) int { return states[2] >> (qubit + 1) }

// Examples turn each axis, by one angle and by one of each state, the first and last qubit.
func (Rotation) Examples() []graph.Example {
	of := func(axis string, qubit, n, qubits, angles int) graph.Example {
		return graph.Example{Op: Rotation{Axis: axis, Qubit: qubit}, Args: []graph.Arg{
			f32(n, 2, 1<<qubits), {Spec: graph.F32(angles), From: -4, To: 4}}}
	}
	return []graph.Example{
		of("x", 0, 3, 3, 3), of("y", 1, 3, 3, 3), of("z", 2, 3, 3, 3), of("x", 2, 2, 3, 1), of("y", 0, 4, 1, 1), of("z", 0, 1, 2, 1),
		of("y", 4, 3, 5, 3), bench(of("y", 3, 64, 10, 1)),
	}
}
