package model

import (
	"strings"
	"testing"

	"aetrain/graph"
)

func init() {
	small["face-swap"] = "decoder_per = \"\"\nlatent_dim = 3\nencoder = [{ layer = \"dense\", units = 5, activation = \"tanh\" }]\n"
}

const tinySwap = "[model]\npreset = \"face-swap\"\nlatent_dim = 3\nencoder = [{ layer = \"dense\", units = 5, activation = \"tanh\" }]\ncorruption = { kind = \"none\" }\n"

// swapFields are images of 3 labels.
func swapFields() []Field {
	return []Field{{Name: FieldX, Spec: graph.F32(1, 4, 4)}, {Name: "label", Spec: graph.I32(), Classes: 3}}
}

// What a block's decoder gives in training is what its label's gives elsewhere, and another label gives something else.
func TestDecoderPerLabel(t *testing.T) {
	m, err := New(read(t, tinySwap), swapFields())
	if err != nil {
		t.Fatal(err)
	}
	train, err := m.Train(6)
	if err != nil {
		t.Fatal(err)
	}
	recon, err := m.Reconstruct(6)
	if err != nil {
		t.Fatal(err)
	}
	fed := feed(train, 3)
	want := evaluate(t, fed, train.Forward.Recon.Mean())
	for name, v := range feed(recon, 3) {
		if _, have := fed[name]; !have {
			fed[name] = v
		}
	}
	ints := func(labels ...float64) graph.Tensor { return graph.Tensor{Spec: graph.I32(6), Data: labels} }
	fed["label"] = ints(0, 0, 1, 1, 2, 2)
	got := evaluate(t, fed, recon.Outputs["recon"])
	fed["label"] = ints(1, 1, 2, 2, 0, 0)
	swapped := evaluate(t, fed, recon.Outputs["recon"])
	differ := 0
	for i, w := range want.Data {
		if !close(got.Data[i], w, 1e-12) {
			t.Fatalf("value %d: %v, in training %v", i, got.Data[i], w)
		}
		if !close(swapped.Data[i], w, 1e-3) {
			differ++
		}
	}
	if differ < len(want.Data)/2 {
		t.Errorf("with other labels only %d of %d values differ", differ, len(want.Data))
	}
	for _, st := range train.Graph.States() {
		if rest, ok := strings.CutPrefix(st.Name, "decoder."); ok && !strings.HasPrefix(rest, "0.") && !strings.HasPrefix(rest, "1.") && !strings.HasPrefix(rest, "2.") {
			t.Errorf("%s belongs to no label", st.Name)
		}
	}
}

func TestDecoderPerLabelMistakes(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no such field", strings.Replace(tinySwap, "latent_dim", "decoder_per = \"lable\"\nlatent_dim", 1), "model.decoder_per: the data has no field lable; did you mean label?: it has x, label"},
		{"no label", strings.Replace(tinySwap, "latent_dim", "decoder_per = \"x\"\nlatent_dim", 1), "model.decoder_per: x is no label, of which one knows how many there are"},
		{"tied", strings.Replace(tinySwap, "latent_dim", "tied = true\nlatent_dim", 1), "model.tied: each label's decoder has weights of its own, which cannot all be the encoder's: leave tied out"},
	} {
		_, err := New(read(t, c.text), swapFields())
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v\nwant %s", c.name, err, c.want)
		}
	}
	m, err := New(read(t, tinySwap), swapFields())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Train(7); err == nil || !strings.Contains(err.Error(), "7 is no multiple of 3") {
		t.Errorf("a batch of 7: %v", err)
	}
}

// warped is x as the encoder sees it.
func warped(t *testing.T, sigma string, x graph.Tensor) graph.Tensor {
	t.Helper()
	m := build(t, "[model]\nlatent_dim = 2\nencoder = []\ncorruption = { kind = \"warp\", grid = 3, sigma = "+sigma+" }\n", x.Shape[1:]...)
	fn, err := m.Train(x.Shape[0])
	if err != nil {
		t.Fatal(err)
	}
	fed := feed(fn, 2)
	fed[FieldX] = x
	return evaluate(t, fed, fn.Forward.Input)
}

// Without moves an image stays as it is. Every pixel of a ramp is read where a smooth map says, so that what comes out is the place
// itself: it moves by about sigma, neighbours move alike, and all channels by the same.
func TestWarp(t *testing.T) {
	const h, w = 9, 12
	x := graph.NewTensor(graph.F32(4, 2, h, w))
	for i := range x.Data {
		x.Data[i] = float64(i % w) // the column, in both channels
	}
	for i, v := range warped(t, "0.0", x).Data {
		if v != x.Data[i] {
			t.Fatalf("pixel %d is %v, was %v", i, v, x.Data[i])
		}
	}
	y := warped(t, "0.1", x)
	moved := 0.0
	for i, v := range y.Data {
		if v < 0 || v > w-1 {
			t.Fatalf("pixel %d is read from column %v", i, v)
		}
		if channel := i / (h * w) % 2; channel == 1 && v != y.Data[i-h*w] {
			t.Fatal("channels are bent apart")
		}
		if i%w > 0 && (v-y.Data[i-1] > 4 || v-y.Data[i-1] < -2) {
			t.Errorf("neighbours are read from columns %v and %v", y.Data[i-1], v)
		}
		moved += (v - x.Data[i]) * (v - x.Data[i])
	}
	if mean := moved / float64(len(y.Data)); mean < 0.1 || mean > 4 {
		t.Errorf("columns move by a mean square of %v; sigma is 1.2 columns", mean)
	}
	if _, err := New(read(t, "[model]\ncorruption = { kind = \"warp\" }\n"), []Field{{Name: FieldX, Spec: graph.F32(6)}}); err == nil || !strings.Contains(err.Error(), "warp bends images, x is 6") {
		t.Errorf("a vector: %v", err)
	}
}
