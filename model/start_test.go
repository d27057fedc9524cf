package model

import (
	"math"
	"testing"

	"aetrain/graph"
)

// The bias that starts from the data is that of every decoder: of each label, of each member.
func TestEveryDecoderStartsFromData(t *testing.T) {
	const start = "reconstruction = { kind = \"bce\", start = \"data\" }\n"
	swap, err := New(read(t, tinySwap+start), swapFields())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		model  *Model
		biases []string
	}{
		"one":     {build(t, "[model]\nlatent_dim = 2\nencoder = [{ layer = \"dense\", units = 5 }]\n"+start, 6), []string{"decoder.1.bias"}},
		"labels":  {swap, []string{"decoder.0.1.bias", "decoder.1.1.bias", "decoder.2.1.bias"}},
		"members": {build(t, "[model]\nlatent_dim = 2\nencoder = [{ layer = \"dense\", units = 5 }]\n"+start+"[model.ensemble]\nmembers = 2\n", 6), []string{"member.0.decoder.1.bias", "member.1.decoder.1.bias"}},
	} {
		const batch = 3
		fn, err := c.model.Start("reconstruction", batch)
		if err != nil {
			t.Fatal(err)
		}
		fed := feed(fn, 5)
		for _, name := range []string{StateStartBatches, StateStartExamples} {
			fed[name] = graph.NewTensor(graph.F32())
		}
		train, err := c.model.Train(batch)
		if err != nil {
			t.Fatal(err)
		}
		x := fed[FieldX].Data
		size := len(x) / batch
		for _, bias := range c.biases {
			if train.Graph.Lookup(bias) == nil {
				t.Errorf("%s: training has no %s", name, bias)
			}
			s := fn.Graph.Lookup(bias)
			if s == nil {
				t.Errorf("%s: nothing sets %s", name, bias)
				continue
			}
			for i, got := range evaluate(t, fed, s.Now).Data {
				mean := (x[i] + x[size+i] + x[2*size+i]) / batch
				if want := math.Log(mean / (1 - mean)); !close(got, want, 1e-6) {
					t.Errorf("%s: %s of value %d is %v, want %v", name, bias, i, got, want)
				}
			}
		}
	}
}
