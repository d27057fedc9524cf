package nn

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/internal/philox"
	"aetrain/op"
)

func init() {
	Layers.Add("circuit", func() Layer {
		return &Circuit{Depth: 2, Gates: []string{"ry", "rz", "cnot"}, Encoding: "angle", Gives: "z"}
	})
}

// Circuit is a parameterised quantum circuit, simulated: a state of Qubits qubits, prepared from the input, goes through Depth
// repetitions of Gates and once more through its rotations.
//
//	rotation.K: Qubits angles of the K-th row of rotations, one for each qubit, in radians
//
// A row of rx, ry or rz turns every qubit by an angle of its own; one of cnot or cz connects each qubit with the next, in a ring.
// Encoding angle turns qubit i of |0...0> about y by x_i, encoding amplitude takes the input, divided by its length, as the
// amplitudes: real parts, then imaginary ones, or real parts alone. Qubit 0 is the highest bit of an amplitude's number.
//
// The output is <Z> of each qubit, or the state: real parts, then imaginary ones. With Trash the first qubits are thrown away:
// the output is the part of the state in which they are |0>, whose squared length is the probability to find them so. An inverse
// circuit walks back through the gates, and with Trash starts from the other qubits with the first ones in |0>.
//
// Source: Kandala et al. 2017, "Hardware-efficient variational quantum eigensolver"; Romero, Olson & Aspuru-Guzik 2017, "Quantum
// autoencoders for efficient compression of quantum data", section 2.
type Circuit struct {
	Common
	Qubits   int      `toml:"qubits" required:"true" min:"1" max:"12" doc:"qubits of the simulated state, which has 2 to the power of them amplitudes"`
	Depth    int      `toml:"depth" min:"0" max:"1000" doc:"how often the gates are repeated, before a last time of the rotations alone"`
	Gates    []string `toml:"gates" doc:"what one repetition consists of, in order: rx, ry, rz turn all qubits, cnot, cz connect each with the next"`
	Encoding string   `toml:"encoding" choices:"angle|amplitude" doc:"how the input becomes a state: angles of turns about y, or the amplitudes themselves"`
	Gives    string   `toml:"output" choices:"z|state" doc:"what comes out: the expectation of Z of each qubit, or the amplitudes, real parts before imaginary ones"`
	Trash    int      `toml:"trash" min:"0" doc:"of a state: how many of the first qubits are thrown away; an inverse circuit gets them back as 0"`
	Inverse  bool     `toml:"inverse" doc:"the gates are undone, the last one first"`

	tied string // path of the circuit whose angles these are
}

// rotations and entanglers are the gates that a configuration knows.
var (
	rotations  = map[string]string{"rx": "x", "ry": "y", "rz": "z"}
	entanglers = map[string]string{"cnot": "x", "cz": "z"}
)

// Validate refuses gates that there are not, and trash of what is measured.
func (l *Circuit) Validate() error {
	turns := false
	for i, name := range l.Gates {
		if rotations[name] == "" && entanglers[name] == "" {
			return configs.KeyError(fmt.Sprintf("gates[%d]", i), "no gate is called %q: there are rx, ry, rz, cnot, cz", name)
		}
		turns = turns || rotations[name] != ""
	}
	switch {
	case !turns:
		return configs.KeyError("gates", "there is nothing to train: add rx, ry or rz")
	case l.Trash > 0 && l.Trash >= l.Qubits:
		return configs.KeyError("trash", "of %d qubits at least one has to stay", l.Qubits)
	case l.Trash > 0 && l.Gives != "state":
		return configs.KeyError("trash", "qubits are thrown away from a state: output = \"state\"")
	case l.Trash > 0 && l.Inverse && l.Encoding != "amplitude":
		return configs.KeyError("trash", "an inverse circuit starts from the state of the other qubits: encoding = \"amplitude\"")
	}
	return nil
}

// Kind is "circuit".
func (*Circuit) Kind() string { return "circuit" }

// Output is a number for each qubit, or both planes of the amplitudes.
func (l *Circuit) Output(in graph.Shape) (graph.Shape, error) {
	if len(in) != 1 {
		return nil, fmt.Errorf("it works on vectors, its input is %v: add { layer = \"flatten\" } before it", in)
	}
	size := 1 << l.Qubits
	switch {
	case l.Encoding == "angle" && in[0] > l.Qubits:
		return nil, fmt.Errorf("%d numbers do not fit %d qubits: add { layer = \"dense\", units = %d } before it", in[0], l.Qubits, l.Qubits)
	case l.restores() && in[0] != 2*size>>l.Trash:
		return nil, fmt.Errorf("its input has %d numbers, %d qubits have %d: real parts, then imaginary ones", in[0], l.Qubits-l.Trash, 2*size>>l.Trash)
	case l.Encoding == "amplitude" && in[0] > size && in[0] != 2*size:
		return nil, fmt.Errorf("%d numbers are no amplitudes of %d qubits, which have %d real parts and as many imaginary ones", in[0], l.Qubits, size)
	}
	switch {
	case l.Gives == "z":
		return graph.Shape{l.Qubits}, nil
	case l.Inverse:
		return graph.Shape{2 * size}, nil
	}
	return graph.Shape{2 * size >> l.Trash}, nil
}

// restores reports whether the input is the state of the qubits that were kept.
func (l *Circuit) restores() bool { return l.Inverse && l.Trash > 0 }

// Build prepares the state, applies the gates and measures.
func (l *Circuit) Build(s *Scope, x graph.Value) graph.Value {
	state := l.prepare(s, x)
	gates := l.sequence(s)
	if l.Inverse {
		slices.Reverse(gates)
	}
	for _, g := range gates {
		state = g.apply(state, l.Inverse)
	}
	n, size := x.Dim(0), 1<<l.Qubits
	if l.Gives == "z" {
		probability := op.ReduceSum(op.Square(state), 1) // N×2^qubits
		return op.MatMul(probability, s.Graph().Constant(graph.F32(size, l.Qubits), l.signs()...), false, false)
	}
	if l.Trash > 0 && !l.Inverse {
		size >>= l.Trash
		state = op.Slice(state, 2, 0, size)
	}
	return op.Reshape(state, n, 2*size)
}

// prepare makes N×2×2^qubits of the input.
func (l *Circuit) prepare(s *Scope, x graph.Value) graph.Value {
	n, m, size := x.Dim(0), x.Dim(1), 1<<l.Qubits
	if l.Encoding == "angle" {
		ground := s.Graph().Constant(graph.F32(n, 1, 1), 1)
		state := op.Pad(op.Pad(ground, 2, 0, size-1, 0), 1, 0, 1, 0)
		for q := range m {
			state = op.Rotate(state, op.Reshape(op.Slice(x, 1, q, q+1), n), "y", q)
		}
		return state
	}
	const tiny = 1e-20 // of a state of length 0, which no gradient may divide by
	length := op.Rsqrt(op.AddConst(op.SumPerExample(op.Square(x)), tiny))
	x = op.Mul(x, op.Reshape(length, n, 1))
	if l.restores() || m > size { // both planes
		return op.Pad(op.Reshape(x, n, 2, m/2), 2, 0, size-m/2, 0)
	}
	return op.Pad(op.Pad(op.Reshape(x, n, 1, m), 2, 0, size-m, 0), 1, 0, 1, 0)
}

// gate is one gate of the circuit.
type gate struct {
	axis   string // of a rotation; "" for a controlled one
	angle  graph.Value
	kind   string // x or z, of a controlled one
	qubits [2]int
}

func (g gate) apply(state graph.Value, inverse bool) graph.Value {
	switch {
	case g.axis == "":
		return op.ControlledGate(state, g.kind, g.qubits[0], g.qubits[1])
	case inverse:
		return op.Rotate(state, op.Neg(g.angle), g.axis, g.qubits[0])
	}
	return op.Rotate(state, g.angle, g.axis, g.qubits[0])
}

// sequence lists the gates in order, with their angles.
func (l *Circuit) sequence(s *Scope) []gate {
	if l.tied != "" {
		s = s.At(l.tied)
	}
	var gates []gate
	row := 0
	for repetition := range l.Depth + 1 {
		for _, name := range l.Gates {
			if axis := rotations[name]; axis != "" {
				angles := s.Param(fmt.Sprintf("rotation.%d", row), anyAngle, l.Qubits)
				row++
				for q := range l.Qubits {
					gates = append(gates, gate{axis: axis, angle: op.Slice(angles, 0, q, q+1), qubits: [2]int{q, q}})
				}
			} else if repetition < l.Depth {
				gates = append(gates, l.ring(entanglers[name])...)
			}
		}
	}
	return gates
}

// ring connects each qubit with the next one, the last with the first.
func (l *Circuit) ring(kind string) []gate {
	var gates []gate
	for q := range l.Qubits {
		if next := (q + 1) % l.Qubits; next > q || l.Qubits > 2 {
			gates = append(gates, gate{kind: kind, qubits: [2]int{q, next}})
		}
	}
	return gates
}

// anyAngle fills with angles of the whole circle.
func anyAngle(seed uint64, name string, t graph.Tensor) {
	r := philox.New(seed, philox.Stream(name))
	for i := range t.Data {
		t.Data[i] = float64(float32((2*float64(r.Float32()) - 1) * math.Pi))
	}
}

// signs is Z of each qubit for each basis state, 2^qubits×qubits: 1 where the qubit is 0, else -1.
func (l *Circuit) signs() []float64 {
	signs := make([]float64, l.Qubits<<l.Qubits)
	for i := range signs {
		basis, q := i/l.Qubits, i%l.Qubits
		signs[i] = 1 - 2*float64(basis>>(l.Qubits-1-q)&1)
	}
	return signs
}

// Mirror of a state is the inverse circuit; what was measured cannot be undone, and is followed by a dense layer.
func (l *Circuit) Mirror(in graph.Shape) ([]Layer, error) {
	if l.Gives == "z" {
		return []Layer{NewDense(in[0])}, nil
	}
	if l.Encoding != "amplitude" || in[0] != 2<<l.Qubits {
		return nil, errors.New("its mirror gives real and imaginary parts of all amplitudes, and its input is something else: write the decoder out")
	}
	m := duplicate(l)
	m.Inverse = !l.Inverse
	m.rename("")
	return []Layer{m}, nil
}

func (*Circuit) initName() string { return "" }

// Tied returns the circuit with the angles of the one at path.
func (l *Circuit) Tied(path, _ string) Layer {
	m := duplicate(l)
	m.tied = path
	return m
}
