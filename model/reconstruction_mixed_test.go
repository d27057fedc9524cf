package model

import (
	"math"
	"strings"
	"testing"

	"aetrain/graph"
	"aetrain/internal/column"
)

// payments is a table of two numbers, a category of three words, and a flag.
var payments = []column.Column{
	{Name: "amount", Kind: column.Numeric, Width: 1}, {Name: "age", Kind: column.Numeric, Width: 1},
	{Name: "country", Kind: column.OneHot, Width: 3, Words: []string{"DE", "FR", "(other)"}},
	{Name: "age missing", Kind: column.Flag, Width: 1},
}

func buildTable(t *testing.T, text string) *Model {
	t.Helper()
	m, err := New(read(t, text), []Field{{Name: FieldX, Spec: graph.F32(6), Columns: payments}})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The loss of an example is squared errors plus cross-entropies of group and flag, by the formulas.
func TestMixedReconstruction(t *testing.T) {
	m := buildTable(t, "[model]\nlatent_dim = 2\nencoder = [{ layer = \"dense\", units = 5, activation = \"tanh\" }]\n[model.reconstruction]\nkind = \"mixed\"")
	fn, err := m.Evaluate(2, 0)
	if err != nil {
		t.Fatal(err)
	}
	fed := feed(fn, 3)
	x := fed[FieldX].Data
	copy(x, []float64{0.3, -1, 0, 1, 0, 1, 2, 0.4, 1, 0, 0, 0})
	raw := fn.Forward.Recon.Mean()
	var reconstruction graph.Value
	for _, term := range fn.Terms {
		if term.Name == reconstructionTerm {
			reconstruction = term.Value
		}
	}
	out, err := graph.Evaluate([]graph.Value{raw, reconstruction}, fed)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		p, x := out[0].Data[i*6:(i+1)*6], x[i*6:(i+1)*6]
		want := 0.0
		for _, j := range []int{0, 1} {
			want += (p[j] - x[j]) * (p[j] - x[j])
		}
		for _, j := range []int{2, 3, 4} {
			want -= x[j] * math.Log(p[j])
		}
		want -= x[5]*math.Log(p[5]) + (1-x[5])*math.Log(1-p[5])
		if got := out[1].Data[i]; math.Abs(got-want) > 1e-9 {
			t.Errorf("example %d: got %v, want %v", i, got, want)
		}
		if sum := p[2] + p[3] + p[4]; math.Abs(sum-1) > 1e-9 {
			t.Errorf("example %d: the probabilities of words add up to %v", i, sum)
		}
	}
}

func TestMixedGradients(t *testing.T) {
	for _, numbers := range []string{"squared-error", "gaussian"} {
		t.Run(numbers, func(t *testing.T) {
			m := buildTable(t, "[model]\nlatent_dim = 2\nencoder = []\n[model.reconstruction]\nkind = \"mixed\"\nnumbers = \""+numbers+"\"")
			checkGradient(t, m)
		})
	}
}

func TestMixedWantsATable(t *testing.T) {
	_, err := New(read(t, "[model.reconstruction]\nkind = \"mixed\""), []Field{{Name: FieldX, Spec: graph.F32(6)}})
	if err == nil || !strings.Contains(err.Error(), "model.reconstruction: mixed is for tables") {
		t.Errorf("got %v", err)
	}
}
