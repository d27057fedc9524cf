package model

import (
	"math"
	"strings"
	"testing"

	"aetrain/graph"
)

// smallLSTM is the preset with few units.
const smallLSTM = "[model]\npreset = \"lstm\"\nlatent_dim = 3\nencoder = [{ layer = \"lstm\", units = [3, 2], return_sequences = false }]\n"

func TestLSTMPreset(t *testing.T) {
	m := build(t, "[model]\npreset = \"lstm\"\n", 100, 1)
	var kinds []string
	for _, p := range m.Decoder.Layers {
		kinds = append(kinds, p.Kind())
	}
	if got, want := strings.Join(kinds, " "), "dense repeat lstm dense"; got != want {
		t.Errorf("the mirror is %s, want %s", got, want)
	}
	small := build(t, smallLSTM, 4, 2)
	checkGradient(t, small)
	checkFunctions(t, small)
}

// Every recurrent layer with its mirror, both ways, behind and before other layers.
func TestRecurrentModels(t *testing.T) {
	for name, encoder := range map[string]string{
		"gru":           `{ layer = "gru", units = 3, return_sequences = false }`,
		"rnn":           `{ layer = "rnn", units = 3, return_sequences = false }`,
		"sequences":     `{ layer = "lstm", units = 3 }`,
		"bidirectional": `{ layer = "gru", units = 2, bidirectional = true, return_sequences = false }`,
		"dense before":  `{ layer = "dense", units = 3, activation = "tanh" }, { layer = "lstm", units = 2, return_sequences = false }`,
		"norm between":  `{ layer = "lstm", units = 3 }, { layer = "layer_norm" }, { layer = "gru", units = 2, return_sequences = false }`,
	} {
		t.Run(name, func(t *testing.T) {
			m := build(t, "[model]\nlatent_dim = 2\nencoder = ["+encoder+"]\n", 4, 2)
			if !m.Decoder.Out.Equal(m.X) {
				t.Errorf("the decoder gives %v", m.Decoder.Out)
			}
			checkGradient(t, m)
		})
	}
}

// A written decoder leaves out the times of repeat and the units of its last layer.
func TestRecurrentDecoderIsSized(t *testing.T) {
	m := build(t, smallLSTM+`decoder = [{ layer = "repeat" }, { layer = "lstm", units = 4 }, { layer = "dense" }]`, 5, 2)
	if got := m.Decoder.Out; !got.Equal(graph.Shape{5, 2}) {
		t.Errorf("the decoder gives %v, want 5x2", got)
	}
	if _, err := New(read(t, smallLSTM), []Field{{Name: FieldX, Spec: graph.F32(1, 28, 28)}}); err == nil || !strings.Contains(err.Error(), "works on sequences") {
		t.Errorf("an image gives %v", err)
	}
}

// Where the data has a mask of times, what it hides changes neither code nor loss.
func TestMaskHidesTimes(t *testing.T) {
	c := read(t, smallLSTM)
	m, err := New(c, []Field{{Name: FieldX, Spec: graph.F32(5, 2)}, {Name: FieldMask, Spec: graph.U8(5)}})
	if err != nil {
		t.Fatal(err)
	}
	fn, err := m.Evaluate(2, 0)
	if err != nil {
		t.Fatal(err)
	}
	fed := feed(fn, 1)
	copy(fed[FieldMask].Data, []float64{1, 1, 1, 0, 0, 1, 1, 1, 1, 1})
	other := clone(fed)
	for i := 6; i < 10; i++ { // the first example's last two times
		other[FieldX].Data[i] = 100
	}
	z := fn.Outputs["z"]
	for _, v := range []graph.Value{z, fn.Losses[0].Value} {
		a, b := evaluate(t, fed, v), evaluate(t, other, v)
		for i, x := range a.Data {
			if y := b.Data[i]; math.Abs(x-y) > 1e-12 {
				t.Errorf("element %d is %v, and %v where hidden times differ", i, x, y)
			}
		}
	}
}
