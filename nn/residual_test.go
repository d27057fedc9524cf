package nn

import (
	"reflect"
	"testing"

	"aetrain/graph"
	"aetrain/op"
)

const preActivation = `[{ layer = "residual", times = 2, layers = [{ layer = "activation", kind = "relu" }, { layer = "conv2d", filters = 2, kernel = 3, padding = 1 }, { layer = "conv2d", kernel = 1 }] }]`

func TestResidualAddsItsLayers(t *testing.T) {
	x := randomTensor(graph.F32(2, 3, 4, 5), 1)
	y, g, fed := run(t, layersOf(t, preActivation), false, x)
	var names []string
	for _, s := range g.States() {
		names = append(names, s.Name)
	}
	want := []string{"0.0.1.weight", "0.0.1.bias", "0.0.2.weight", "0.0.2.bias", "0.1.1.weight", "0.1.1.bias", "0.1.2.weight", "0.1.2.bias"}
	if !reflect.DeepEqual(names, want) {
		t.Fatalf("weights are %v, want %v", names, want)
	}
	h := graph.New()
	v := h.Input("x", x.Spec)
	for _, block := range []string{"0.0.", "0.1."} { // by hand
		weight := func(name string) graph.Value { return h.Input(block+name, fed[block+name].Spec) }
		inner := op.AddBias(op.Conv2D(op.ReLU(v), weight("1.weight"), op.ConvConfig{StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Groups: 1, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}), weight("1.bias"))
		v = op.Add(v, op.AddBias(op.Conv2D(inner, weight("2.weight"), op.ConvConfig{StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Groups: 1}), weight("2.bias")))
	}
	out, err := graph.Evaluate([]graph.Value{v}, fed)
	if err != nil {
		t.Fatal(err)
	}
	for i, got := range y.Data {
		if d := got - out[0].Data[i]; d > 1e-12 || d < -1e-12 {
			t.Fatalf("element %d is %v, by hand %v", i, got, out[0].Data[i])
		}
	}
}

func TestResidualMistakes(t *testing.T) {
	for _, c := range []struct {
		name, text string
		in         graph.Shape
		want       string
	}{
		{"shape", `[{ layer = "residual", layers = [{ layer = "conv2d", filters = 3, kernel = 3 }] }]`, graph.Shape{3, 6, 6},
			"[0] (residual): its layers make 3x4x4 of 3x6x6, and what is added has to have one shape: change their strides and paddings, and leave units or filters of the last one out"},
		{"none", `[{ layer = "residual", layers = [] }]`, graph.Shape{3}, "[0] (residual): layers is empty: a block needs at least one"},
		{"inside", `[{ layer = "residual", layers = [{ layer = "activation", kind = "relu" }, { layer = "dense" }] }]`, graph.Shape{3, 6, 6},
			"[0] (residual): [1] (dense): its input is a feature map, 3x6x6: add { layer = \"flatten\" } before it"},
	} {
		_, err := NewStack(layersOf(t, c.text), c.in, false)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.name, err, c.want)
		}
	}
}

func TestResidualMirrors(t *testing.T) {
	in := graph.Shape{3, 9, 7}
	st, err := NewStack(layersOf(t, `[{ layer = "conv2d", filters = 4, kernel = 3, stride = 2, activation = "relu" }, { layer = "residual", name = "deep", times = 2, layers = [{ layer = "conv2d", filters = 2, kernel = 3, padding = 1, norm = "batch", activation = "relu" }, { layer = "conv2d", kernel = 1 }] }]`), in, true)
	if err != nil {
		t.Fatal(err)
	}
	mirror, err := st.Mirror(MirrorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	back, err := NewStack(mirror, st.Out, false)
	if err != nil || !back.Out.Equal(in) {
		t.Fatalf("the mirror gives %v, %v; want %v", back, err, in)
	}
	var kinds []string
	for _, p := range back.Layers {
		kinds = append(kinds, p.Kind()+p.Label())
	}
	if want := []string{"residual", "activation", "conv_transpose2d"}; !reflect.DeepEqual(kinds, want) {
		t.Errorf("the mirror is %v, want %v", kinds, want)
	}
}
