package nn

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"aetrain/configs"
	"aetrain/graph"
)

func TestRecurrentShapes(t *testing.T) {
	last := func(l recurrent) Layer { l.keys().ReturnSequences = false; return l }
	both := func(l recurrent) Layer { l.keys().Bidirectional = true; return l }
	for _, c := range []struct {
		name  string
		layer Layer
		in    graph.Shape
		want  string // shape, or a part of the sentence
	}{
		{"sequence", NewLSTM(5), graph.Shape{7, 3}, "7x5"},
		{"last state", last(NewGRU(5)), graph.Shape{7, 3}, "5"},
		{"both ways", both(NewRNN(5)), graph.Shape{7, 3}, "7x10"},
		{"repeat", &Repeat{Times: 4}, graph.Shape{3}, "4x3"},
		{"vector", NewLSTM(5), graph.Shape{7}, "add { layer = \"repeat\" } before it"},
		{"image", NewLSTM(5), graph.Shape{3, 28, 28}, "shape = [3, 784]"},
		{"no units", NewLSTM(0), graph.Shape{7, 3}, "units is missing"},
		{"no times", &Repeat{}, graph.Shape{3}, "times is missing"},
		{"repeated sequence", &Repeat{Times: 2}, graph.Shape{3, 2}, "flatten"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := c.layer.Output(c.in)
			got := out.String()
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, c.want) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// Weights have PyTorch's names and shapes; a list of units is one layer each, of which the last one decides what comes out.
func TestRecurrentWeights(t *testing.T) {
	l := NewLSTM(0)
	l.Units, l.Bidirectional, l.ReturnSequences = configs.Ints{4, 3}, true, false
	st, err := NewStack([]Layer{l}, graph.Shape{6, 2}, true)
	if err != nil {
		t.Fatal(err)
	}
	if !st.Out.Equal(graph.Shape{6}) || len(st.Layers) != 2 {
		t.Fatalf("%d layers give %v", len(st.Layers), st.Out)
	}
	g := graph.New()
	y := st.Build(NewScope(g, ScopeOptions{}).Sub("encoder"), g.Input("x", graph.F32(5, 6, 2)))
	if g.Err() != nil || !y.Shape().Equal(graph.Shape{5, 6}) {
		t.Fatalf("the graph gives %v: %v", y.Shape(), g.Err())
	}
	var names []string
	for _, s := range g.States() {
		names = append(names, fmt.Sprint(s.Name, []int(s.Spec.Shape)))
	}
	for _, want := range []string{
		"encoder.0.weight_ih[16 2]", "encoder.0.weight_hh[16 4]", "encoder.0.bias_ih[16]", "encoder.0.bias_hh_reverse[16]",
		"encoder.1.weight_ih_reverse[12 8]", "encoder.1.weight_hh[12 3]",
	} {
		if !slices.Contains(names, want) {
			t.Errorf("no state %s among %v", want, names)
		}
	}
}

func TestRecurrentMirror(t *testing.T) {
	for name, c := range map[string]struct {
		layers func() []Layer
		want   string
	}{
		"last state": {func() []Layer {
			l := NewLSTM(0)
			l.Units, l.ReturnSequences = configs.Ints{8, 4}, false
			return []Layer{l}
		}, "repeat lstm lstm dense"},
		"sequences":        {func() []Layer { return []Layer{NewGRU(4)} }, "gru dense"},
		"repeat":           {func() []Layer { return []Layer{&Flatten{}, &Repeat{Times: 3}} }, "flatten dense reshape"},
		"dense in between": {func() []Layer { return []Layer{NewRNN(4), NewDense(3), NewRNN(2)} }, "rnn dense dense rnn dense"},
	} {
		t.Run(name, func(t *testing.T) {
			st, err := NewStack(c.layers(), graph.Shape{5, 2}, true)
			if err != nil {
				t.Fatal(err)
			}
			mirror, err := st.Mirror(MirrorOptions{})
			if err != nil {
				t.Fatal(err)
			}
			var kinds []string
			for _, l := range mirror {
				kinds = append(kinds, l.Kind())
			}
			if got := strings.Join(kinds, " "); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			back, err := NewStack(mirror, st.Out, false)
			if err != nil || !back.Out.Equal(st.In) {
				t.Errorf("leads back to %v: %v", back, err)
			}
		})
	}
}
