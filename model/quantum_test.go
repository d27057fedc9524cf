package model

import (
	"aetrain/graph"
	"strings"
	"testing"
)

func init() {
	small["quantum-hybrid"] = `latent_dim = 0
encoder = [{ layer = "dense", units = 3, activation = "tanh" }, { layer = "circuit", qubits = 3, depth = 1 }]
decoder = [{ layer = "dense" }]
`
}

const tinyCircuit = "encoder = [{ layer = \"circuit\", qubits = 3, depth = 1, encoding = \"amplitude\", output = \"state\", trash = 1 }]\n"

// The pure one takes states alone: gradients of the trash, and of the fidelity of decoded states by a circuit with angles of its own.
func TestQuantumGradients(t *testing.T) {
	for name, more := range map[string]string{
		"trash":            "",
		"fidelity":         "reconstruction = { kind = \"fidelity\", weight = 1.0 }\n[model.penalties.trash]\nenabled = false\n",
		"fidelity, untied": "tied = false\nreconstruction = { kind = \"fidelity\", weight = 1.0 }\n",
		"on another layer": "[model.penalties.trash]\non = \"encoder.0\"\n",
	} {
		t.Run(name, func(t *testing.T) {
			m := build(t, "[model]\npreset = \"quantum\"\n"+tinyCircuit+more, 16)
			checkGradient(t, m)
			checkFunctions(t, m)
		})
	}
}

func TestFidelityMistakes(t *testing.T) {
	_, err := New(read(t, "[model]\nreconstruction = { kind = \"fidelity\" }\n"), []Field{{Name: FieldX, Spec: graph.F32(1, 4, 4)}})
	want := "model.reconstruction: x is 1x4x4: a state is a vector of amplitudes, real parts and then as many imaginary ones"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v\nwant %s", err, want)
	}
}
