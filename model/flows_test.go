package model

import (
	"fmt"
	"strings"
	"testing"

	"aetrain/graph"
)

func init() {
	for _, name := range []string{"flow-planar", "flow-radial", "iaf", "categorical"} {
		small[name] = "latent_dim = 3\nencoder = [{ layer = \"dense\", units = 5, activation = \"tanh\" }]\n"
	}
}

// Flows under every bound, with several samples: the gradient is the loss's own.
func TestFlowsUnderBounds(t *testing.T) {
	for _, kind := range []string{"planar", "radial", "iaf"} {
		for _, bound := range []string{"elbo", "iwae"} {
			text := fmt.Sprintf("[model]\npreset = \"vae\"\nlatent_dim = 2\nencoder = []\nbottleneck = { kind = \"gaussian\", samples = 3, bound = %q, flow = { kind = %q, steps = 2, hidden = 5 } }\n", bound, kind)
			checkGradient(t, build(t, text, 5))
		}
	}
}

// A categorical code is one-hot outside of training, and what needs densities of relaxed samples is refused.
func TestCategoricalCode(t *testing.T) {
	m := build(t, "[model]\npreset = \"categorical\"\nlatent_dim = 3\nbottleneck.classes = 4\n", 6)
	if !m.Code.Equal(graph.Shape{12}) {
		t.Fatalf("the code is %v", m.Code)
	}
	for name, make := range map[string]func() (*Function, error){
		"encode": func() (*Function, error) { return m.Encode(5) }, "evaluate": func() (*Function, error) { return m.Evaluate(5, 0) },
		"sample": func() (*Function, error) { return m.Sample(5) },
	} {
		fn, err := make()
		if err != nil {
			t.Fatal(err)
		}
		z := evaluate(t, feed(fn, 3), fn.Outputs["z"])
		for i := 0; i < len(z.Data); i += 4 {
			ones := 0
			for _, v := range z.Data[i : i+4] {
				if v == 1 {
					ones++
				} else if v != 0 {
					t.Fatalf("%s: %v is not one-hot", name, z.Data[i:i+4])
				}
			}
			if ones != 1 {
				t.Errorf("%s: %d ones in a variable", name, ones)
			}
		}
	}
	for text, want := range map[string]string{
		"latent_dim = 0\nbottleneck.kind = \"categorical\"\n":                                    "give it a size above 0",
		"losses.a = { terms = { reconstruction = 1.0 }, bound = \"iwae\" }\n":                    "take bound = \"elbo\"",
		"bottleneck.temperature = 0.0\n":                                                         "temperature",
		"preset = \"vae\"\nbottleneck.flow.kind = \"planer\"\n":                                  "did you mean planar?",
		"preset = \"vae\"\nbottleneck.flow = { kind = \"iaf\" }\npenalties.kl.free_bits = 0.1\n": "closed form",
	} {
		if !strings.Contains(text, "preset") {
			text = "preset = \"categorical\"\n" + text
		}
		c, err := tryRead("[model]\n" + text)
		if err == nil {
			_, err = New(c, []Field{{Name: FieldX, Spec: graph.F32(6)}})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
