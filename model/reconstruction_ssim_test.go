package model

import (
	"math"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"aetrain/graph"
	"aetrain/metrics"
)

// The similarity is that of metrics; at two scales that of testdata/ms_ssim.py.
func TestSSIMIsTheMetric(t *testing.T) {
	const n, channels, side = 2, 2, 24
	g := graph.New()
	a, b := g.Input("a", graph.F32(n, channels, side, side)), g.Input("b", graph.F32(n, channels, side, side))
	fed := map[string]graph.Tensor{"a": graph.NewTensor(a.Spec()), "b": graph.NewTensor(b.Spec())}
	for i := range fed["a"].Data {
		v := 0.5 + 0.4*math.Sin(float64(i)*0.3)*math.Cos(float64(i/side)*0.5)
		fed["a"].Data[i], fed["b"].Data[i] = v, math.Mod(v*1.2+0.03*float64(i%7), 1)
	}
	host := func(x graph.Tensor) *tensor.Dense {
		return tensor.New(tensor.WithShape(x.Shape...), tensor.WithBacking(append([]float64{}, x.Data...)))
	}
	m, _ := metrics.Make("ssim")
	if err := m.Update(host(fed["a"]), host(fed["b"])); err != nil {
		t.Fatal(err)
	}
	got := evaluate(t, fed, (&SSIM{Scales: 1}).similarity(a, b))
	if mean := (got.Data[0] + got.Data[1]) / n; !close(mean, m.Value(), 1e-9) {
		t.Errorf("the mean similarity is %v, metrics says %v", mean, m.Value())
	}
	two := evaluate(t, fed, (&SSIM{Scales: 2}).similarity(a, b))
	for i, want := range []float64{0.17228326359362384, 0.24387522855702645} {
		if !close(two.Data[i], want, 1e-9) {
			t.Errorf("at two scales image %d has %v, want %v", i, two.Data[i], want)
		}
	}
	same := evaluate(t, fed, (&SSIM{Scales: 2}).similarity(a, a))
	for _, v := range same.Data {
		if !close(v, 1, 1e-9) {
			t.Errorf("an image is like itself by %v", v)
		}
	}
}

func TestSSIMGradient(t *testing.T) {
	m := build(t, "[model]\nlatent_dim = 2\nencoder = [{ layer = \"dense\", units = 3, activation = \"tanh\" }]\nreconstruction = { kind = \"ssim\", scales = 2 }\n", 1, 23, 22)
	checkGradient(t, m)
	checkFunctions(t, m)
}

func TestSSIMMistakes(t *testing.T) {
	for want, x := range map[string]graph.Shape{
		"ssim compares images, x is 12: choose mse or bce":                                                               {12},
		"images of 16x30 are too small for 2 scales of an 11x11 window, which want 22 pixels: take fewer scales, or mse": {1, 16, 30},
	} {
		_, err := New(read(t, "[model]\nreconstruction = { kind = \"ssim\", scales = 2 }\n"), []Field{{Name: FieldX, Spec: graph.F32(x...)}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
}
