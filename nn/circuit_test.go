package nn

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"aetrain/graph"
	"aetrain/op"
)

// circuitCase is a line of testdata/circuit.json, which circuit.py writes: matrices in NumPy.
type circuitCase struct {
	Qubits, Depth, Trash int
	Gates                []string
	Encoding, Output     string
	Inverse              bool
	X, Angles, Y         [][]float64
	Weights              [][]float64
	DAngles              [][]float64 `json:"d_angles"`
}

func circuitCases(t *testing.T) []circuitCase {
	t.Helper()
	f, err := os.Open("testdata/circuit.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var cases []circuitCase
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var c circuitCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	return cases
}

func (c circuitCase) layer() *Circuit {
	return &Circuit{Qubits: c.Qubits, Depth: c.Depth, Gates: c.Gates, Encoding: c.Encoding, Gives: c.Output, Trash: c.Trash, Inverse: c.Inverse}
}

// flat is rows as one tensor.
func flat(rows [][]float64) graph.Tensor {
	x := graph.NewTensor(graph.F32(len(rows), len(rows[0])))
	for i, r := range rows {
		copy(x.Data[i*len(r):], r)
	}
	return x
}

// built is a circuit in a graph, with what to feed it.
func (c circuitCase) built(t *testing.T) (y graph.Value, g *graph.Graph, fed map[string]graph.Tensor) {
	t.Helper()
	l := c.layer()
	if err := l.Validate(); err != nil {
		t.Fatal(err)
	}
	g = graph.New()
	x := flat(c.X)
	y = l.Build(NewScope(g, ScopeOptions{}), g.Input("x", x.Spec))
	if err := g.Err(); err != nil {
		t.Fatal(err)
	}
	out, err := l.Output(x.Shape[1:])
	if err != nil || !out.Equal(y.Shape()[1:]) {
		t.Fatalf("%+v: the rule says %v, %v; the graph gives %v", c, out, err, y.Shape())
	}
	fed = map[string]graph.Tensor{"x": x}
	for i, row := range c.Angles {
		fed[fmt.Sprintf("rotation.%d", i)] = graph.Tensor{Spec: graph.F32(c.Qubits), Data: row}
	}
	return y, g, fed
}

// Outputs and gradients are those of matrices in NumPy, the gradients by the parameter-shift rule.
func TestCircuitGolden(t *testing.T) {
	for i, c := range circuitCases(t) {
		y, g, fed := c.built(t)
		wanted := []graph.Value{y}
		if c.DAngles != nil {
			loss := op.SumAll(op.Mul(y, g.Constant(y.Spec(), flat(c.Weights).Data...)))
			var leaves []graph.Value
			for i := range c.Angles {
				leaves = append(leaves, g.Lookup(fmt.Sprintf("rotation.%d", i)).Leaf)
			}
			wanted = append(wanted, graph.Grad(loss, leaves...)...)
		}
		got, err := graph.Evaluate(wanted, fed)
		if err != nil {
			t.Fatal(err)
		}
		wants := append([][]float64{flat(c.Y).Data}, c.DAngles...)
		for k, want := range wants {
			for j, w := range want {
				if math.Abs(got[k].Data[j]-w) > 1e-9 {
					t.Fatalf("case %d, value %d: %v, want %v", i, k, got[k].Data, want)
				}
			}
		}
	}
}

// The gradient through the simulation is the parameter-shift rule's, by our own circuit at the shifted angles.
func TestCircuitParameterShift(t *testing.T) {
	c := circuitCases(t)[0]
	y, g, fed := c.built(t)
	loss := op.SumAll(op.Mul(y, g.Constant(y.Spec(), flat(c.Weights).Data...)))
	at := func() float64 {
		v, err := graph.Evaluate([]graph.Value{loss}, fed)
		if err != nil {
			t.Fatal(err)
		}
		return v[0].Data[0]
	}
	for row := range c.Angles {
		name := fmt.Sprintf("rotation.%d", row)
		d, err := graph.Evaluate(graph.Grad(loss, g.Lookup(name).Leaf), fed)
		if err != nil {
			t.Fatal(err)
		}
		for q := range c.Qubits {
			angles := fed[name].Data
			was := angles[q]
			angles[q] = was + math.Pi/2
			up := at()
			angles[q] = was - math.Pi/2
			down := at()
			angles[q] = was
			if want := (up - down) / 2; math.Abs(d[0].Data[q]-want) > 1e-12 {
				t.Errorf("%s of qubit %d: the gradient is %v, shifted circuits say %v", name, q, d[0].Data[q], want)
			}
		}
	}
}

// The mirror of a circuit with shared angles undoes it.
func TestCircuitMirrorUndoes(t *testing.T) {
	c := circuitCases(t)[4]
	c.Trash = 0
	l := c.layer()
	back, err := l.Mirror(graph.Shape{16})
	if err != nil {
		t.Fatal(err)
	}
	g := graph.New()
	s := NewScope(g, ScopeOptions{})
	x := flat(c.X)
	y := l.Build(s.Sub("circuit"), g.Input("x", x.Spec))
	y = back[0].(*Circuit).Tied("circuit", "").Build(s.Sub("mirror"), y)
	fed := map[string]graph.Tensor{"x": x}
	for i, row := range c.Angles {
		fed[fmt.Sprintf("circuit.rotation.%d", i)] = graph.Tensor{Spec: graph.F32(c.Qubits), Data: row}
	}
	got, err := graph.Evaluate([]graph.Value{y}, fed)
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range c.X {
		length := 0.0
		for _, v := range row {
			length += v * v
		}
		for j, v := range row {
			if g := got[0].Data[i*16+j]; math.Abs(g-v/math.Sqrt(length)) > 1e-12 {
				t.Fatalf("example %d, amplitude %d: %v, want %v", i, j, g, v/math.Sqrt(length))
			}
		}
	}
}

func TestCircuitMistakes(t *testing.T) {
	for _, c := range []struct {
		name, text string
		in         graph.Shape
		want       string
	}{
		{"too many angles", `[{ layer = "circuit", qubits = 3 }]`, graph.Shape{5}, "[0] (circuit): 5 numbers do not fit 3 qubits: add { layer = \"dense\", units = 3 } before it"},
		{"no amplitudes", `[{ layer = "circuit", qubits = 2, encoding = "amplitude" }]`, graph.Shape{7}, "[0] (circuit): 7 numbers are no amplitudes of 2 qubits, which have 4 real parts and as many imaginary ones"},
		{"an image", `[{ layer = "circuit", qubits = 2 }]`, graph.Shape{1, 2, 2}, "[0] (circuit): it works on vectors, its input is 1x2x2: add { layer = \"flatten\" } before it"},
		{"not what was kept", `[{ layer = "circuit", qubits = 3, encoding = "amplitude", output = "state", inverse = true, trash = 1 }]`, graph.Shape{16}, "[0] (circuit): its input has 16 numbers, 2 qubits have 8: real parts, then imaginary ones"},
	} {
		_, err := NewStack(layersOf(t, c.text), c.in, true)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.name, err, c.want)
		}
	}
	for want, l := range map[string]Circuit{
		`gates[1]: no gate is called "cy": there are rx, ry, rz, cnot, cz`:                            {Qubits: 2, Gates: []string{"ry", "cy"}},
		"gates: there is nothing to train: add rx, ry or rz":                                          {Qubits: 2, Gates: []string{"cz"}},
		"trash: of 2 qubits at least one has to stay":                                                 {Qubits: 2, Gates: []string{"ry"}, Trash: 2, Gives: "state"},
		`trash: qubits are thrown away from a state: output = "state"`:                                {Qubits: 2, Gates: []string{"ry"}, Trash: 1, Gives: "z"},
		`trash: an inverse circuit starts from the state of the other qubits: encoding = "amplitude"`: {Qubits: 2, Gates: []string{"ry"}, Trash: 1, Gives: "state", Inverse: true, Encoding: "angle"},
	} {
		if err := l.Validate(); err == nil || err.Error() != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
}
