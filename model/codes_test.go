package model

import (
	"math"
	"strings"
	"testing"

	"aetrain/graph"
)

func init() {
	tiny := "latent_dim = 3\nencoder = [{ layer = \"dense\", units = 5, activation = \"tanh\" }]\n"
	small["hyperspherical"] = tiny
	small["joint-vae"] = tiny + "bottleneck = { classes = 3, variables = 2 }\npenalties = { joint-capacity = { weight = 2.0, gaussian = 0.5, categorical = 0.2 } }\n"
}

// Codes of a hyperspherical bottleneck have length 1, drawn or not, from the posterior or the prior.
func TestHypersphericalCodes(t *testing.T) {
	m := build(t, "[model]\npreset = \"hyperspherical\"\n"+small["hyperspherical"], 1, 5, 6)
	functions := map[string]func(int) (*Function, error){"train": m.Train, "encode": m.Encode, "sample": m.Sample}
	for name, build := range functions {
		fn, err := build(4)
		if err != nil {
			t.Fatal(err)
		}
		z := fn.Outputs["z"]
		if name == "train" {
			z = fn.Forward.Code
		}
		v := evaluate(t, feed(fn, 3), z)
		for i := range 4 {
			sum := 0.0
			for _, x := range v.Data[i*3 : (i+1)*3] {
				sum += x * x
			}
			if math.Abs(sum-1) > 1e-9 {
				t.Errorf("%s: code %d has squared length %v", name, i, sum)
			}
		}
	}
}

// A joint code is continuous numbers and one-hot vectors; the capacity penalty is γ·Σ|mean KL of a part - its capacity|.
func TestJointCodes(t *testing.T) {
	m := build(t, "[model]\npreset = \"joint-vae\"\n"+small["joint-vae"], 1, 5, 6)
	fn, err := m.Evaluate(4, 1)
	if err != nil {
		t.Fatal(err)
	}
	fed := feed(fn, 3)
	z := evaluate(t, fed, fn.Forward.Code)
	if want := (graph.Shape{4, 3 + 2*3}); !z.Shape.Equal(want) {
		t.Fatalf("codes are %v, want %v", z.Shape, want)
	}
	for i := range 4 {
		for variable := range 2 {
			ones := 0
			for _, x := range z.Data[i*9+3+variable*3:][:3] {
				if x == 1 {
					ones++
				} else if x != 0 {
					t.Errorf("code %d has %v in a choice", i, x)
				}
			}
			if ones != 1 {
				t.Errorf("choice %d of code %d has %d classes", variable, i, ones)
			}
		}
	}
	fn, err = m.Train(4)
	if err != nil {
		t.Fatal(err)
	}
	fed = feed(fn, 3)
	var term Named
	for _, x := range fn.Terms {
		if x.Name == "joint-capacity" {
			term = x
		}
	}
	total, reconstruction := number(t, fed, fn.Loss), 0.0
	for _, v := range evaluate(t, fed, fn.Terms[0].Value).Data {
		reconstruction += v / 4
	}
	kl := 0.0
	for _, v := range evaluate(t, fed, term.Value).Data {
		kl += v / 4
	}
	if capacity := total - reconstruction; capacity < 0 || capacity > 2*(kl+0.7)+1e-9 {
		t.Errorf("the penalty is %v; the divergences are %v nats together, the capacities 0.5 and 0.2", capacity, kl)
	}
}

func TestCodesMistakes(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no direction", "bottleneck = { kind = \"hyperspherical\" }\nlatent_dim = 1\n", "a direction has two numbers or more: give latent_dim a size above 1"},
		{"nothing continuous", "bottleneck = { kind = \"joint\" }\nlatent_dim = 0\n", "a joint bottleneck has latent_dim continuous numbers"},
		{"a capacity for each part of one", "bottleneck = { kind = \"gaussian\" }\npenalties = { joint-capacity = {} }\n", "joint-capacity has a capacity for each part of a joint code"},
		{"tied", "bottleneck = { kind = \"joint\" }\ntied = true\n", "a joint code comes from several projections"},
		{"free bits of a direction", "bottleneck = { kind = \"hyperspherical\" }\npenalties = { kl = { free_bits = 0.1 } }\n", "free_bits wants a divergence in closed form"},
	} {
		_, err := New(read(t, "[model]\n"+c.text), []Field{{Name: FieldX, Spec: graph.F32(6)}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v\nwant %s", c.name, err, c.want)
		}
	}
}
