package infer

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/data"
	"aetrain/graph"
)

func TestWays(t *testing.T) {
	at := func(way func(dst, a, b []float32, t float64), a, b []float32, x float64) []float32 {
		dst := make([]float32, len(a))
		way(dst, a, b, x)
		return dst
	}
	h := math.Sqrt(0.5)
	cases := []struct {
		name string
		way  func(dst, a, b []float32, t float64)
		a, b []float32
		t    float64
		want []float64
	}{
		{"half of a straight line", linear, []float32{0, 2}, []float32{4, -2}, 0.5, []float64{2, 0}},
		{"half of a quarter circle", spherical, []float32{1, 0}, []float32{0, 1}, 0.5, []float64{h, h}},
		{"a third of it", spherical, []float32{1, 0}, []float32{0, 1}, 1.0 / 3, []float64{math.Sqrt(3) / 2, 0.5}},
		{"lengths differ", spherical, []float32{2, 0}, []float32{0, 1}, 0.5, []float64{2 * h, h}},
		{"the same code", spherical, []float32{1, 1}, []float32{1, 1}, 0.3, []float64{1, 1}},
		{"parallel ones", spherical, []float32{1, 1}, []float32{3, 3}, 0.5, []float64{2, 2}},
		{"opposite ones", spherical, []float32{1, 0}, []float32{-1, 0}, 0.25, []float64{0.5, 0}},
		{"from nowhere", spherical, []float32{0, 0}, []float32{2, 0}, 0.5, []float64{1, 0}},
		{"the beginning", spherical, []float32{1, 2}, []float32{-3, 1}, 0, []float64{1, 2}},
		{"the end", spherical, []float32{1, 2}, []float32{-3, 1}, 1, []float64{-3, 1}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { nearAll(t, "code", at(c.way, c.a, c.b, c.t), c.want, 1e-6) })
	}
}

func TestInterpolate(t *testing.T) {
	ctx := context.Background()
	src := noise(5, 1, 2, 3)
	for _, c := range []struct {
		text, path string
		way        func(dst, a, b []float32, t float64)
	}{{tinyVAE, "", spherical}, {tinyVAE, "linear", linear}, {tinyAE, "", linear}, {tinyAE, "spherical", spherical}} {
		m := live(t, c.text, src, 4)
		a, b := backend.Rows(src.values[0], 0, 2), backend.Rows(src.values[0], 3, 5)
		got, err := m.Interpolate(ctx, a, b, 5, c.path)
		if err != nil {
			t.Fatal(err)
		}
		if want := []int{2, 5, 1, 2, 3}; !slices.Equal([]int(got.Shape()), append(want[:2:2], m.model.X...)) {
			t.Errorf("shape is %v, want %v", got.Shape(), want)
		}
		za, err := m.Encode(ctx, a)
		if err != nil {
			t.Fatal(err)
		}
		zb, err := m.Encode(ctx, b)
		if err != nil {
			t.Fatal(err)
		}
		z := make([]float32, 3)
		c.way(z, za.Float32s()[3:], zb.Float32s()[3:], 0.75)
		want, err := m.Decode(ctx, tensor.New(tensor.WithShape(1, 3), tensor.WithBacking(z)))
		if err != nil {
			t.Fatal(err)
		}
		nearAll(t, "three quarters of the second way", got.Float32s()[8*6:9*6], widen(want.Float32s()), 1e-5)
		ends, err := m.Reconstruct(ctx, b)
		if err != nil {
			t.Fatal(err)
		}
		nearAll(t, "the end of the first way", got.Float32s()[4*6:5*6], widen(ends.Float32s()[:6]), 1e-5)
	}
}

// A row of a traversal decodes codes that differ from the example's in one number.
func TestTraverse(t *testing.T) {
	ctx := context.Background()
	src := noise(5, 1, 2, 3)
	m := live(t, tinyVAE, src, 4)
	x := backend.Rows(src.values[0], 2, 3)
	got, err := m.Traverse(ctx, x, 4)
	if err != nil {
		t.Fatal(err)
	}
	if want := append([]int{3, 4}, m.model.X...); !slices.Equal([]int(got.Shape()), want) {
		t.Errorf("shape is %v, want %v", got.Shape(), want)
	}
	z, err := m.Encode(ctx, x)
	if err != nil {
		t.Fatal(err)
	}
	z.Float32s()[1] = 1 // of -3, -1, 1, 3
	want, err := m.Decode(ctx, z)
	if err != nil {
		t.Fatal(err)
	}
	nearAll(t, "the third step of the second number", got.Float32s()[(1*4+2)*6:][:6], widen(want.Float32s()), 1e-5)
	if _, err := live(t, tinyAE, src, 4).Traverse(ctx, x, 4); err == nil {
		t.Error("codes without a prior are walked along")
	}
	if _, err := m.Traverse(ctx, backend.Rows(src.values[0], 0, 2), 4); err == nil {
		t.Error("two examples are taken for one")
	}
	for bottleneck, why := range map[string]string{
		"kind = \"hyperspherical\"": "a direction",
		"kind = \"categorical\"":    "choose classes",
	} {
		m := live(t, "[model]\nlatent_dim = 3\nencoder = [{ layer = \"flatten\" }]\n[model.bottleneck]\n"+bottleneck+"\n", src, 4)
		if _, err := m.Traverse(ctx, x, 4); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", bottleneck, err)
		}
	}
}

// What a decoder is told it is told at each step: of the first input of a way.
func TestToldOnTheWay(t *testing.T) {
	ctx := context.Background()
	src := noise(4, 1, 2, 3)
	label := backend.NewHost(graph.I32(4))
	copy(label.Int32s(), []int32{2, 0, 1, 1})
	src.fields, src.values = append(src.fields, data.Field{Name: "label", Spec: graph.I32(), Classes: 3}), append(src.values, label)
	for name, keys := range map[string]string{"condition": "[model.condition]\non = [\"label\"]\n", "heads": ""} {
		t.Run(name, func(t *testing.T) {
			text := "[model]\nlatent_dim = 3\nencoder = [{ layer = \"dense\", units = 4 }]\n"
			if keys == "" {
				text += "decoder_per = \"label\"\n"
			}
			m := live(t, text+"[model.bottleneck]\nkind = \"gaussian\"\n"+keys, src, 4)
			a, b, given := backend.Rows(src.values[0], 0, 2), backend.Rows(src.values[0], 2, 4), Fields{"label": backend.Rows(label, 0, 2)}
			got, err := m.Interpolate(ctx, a, b, 3, "", given)
			if err != nil {
				t.Fatal(err)
			}
			want, err := m.Reconstruct(ctx, b, given)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 2 {
				nearAll(t, "the end of a way", got.Float32s()[(i*3+2)*6:][:6], widen(want.Float32s()[i*6:][:6]), 1e-5)
			}
			one := Fields{"label": backend.Rows(label, 0, 1)}
			if got, err = m.Traverse(ctx, backend.Rows(a, 0, 1), 2, one); err != nil {
				t.Fatal(err)
			}
			z, err := m.Encode(ctx, backend.Rows(a, 0, 1), one)
			if err != nil {
				t.Fatal(err)
			}
			z.Float32s()[2] = TraverseSpan
			if want, err = m.Decode(ctx, z, one); err != nil {
				t.Fatal(err)
			}
			nearAll(t, "the last step of a traversal", got.Float32s()[5*6:], widen(want.Float32s()), 1e-5)
		})
	}
}
