package trainer_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"
)

// A contractive code answers less to small changes of the input: E‖h(x+δv) - h(x)‖²/δ² with normal v is the squared norm of the
// Jacobian, measured on codes alone.
func TestContractionShrinksJacobian(t *testing.T) {
	if testing.Short() {
		t.Skip("trains two models")
	}
	norm := func(weight string) float64 {
		m, x := trainedOn(t, single, "model.preset=contractive", "model.latent_dim=10", "train.epochs=5", "model.penalties.jacobian.weight="+weight)
		const step = 1e-2
		rng := rand.New(rand.NewPCG(1, 2))
		moved := x.Clone().(*tensor.Dense)
		at := moved.Float32s()
		for i := range at {
			at[i] += step * float32(rng.NormFloat64())
		}
		before, _ := codesOf(t, m, x)
		after, _ := codesOf(t, m, moved)
		sum := 0.0
		for i, h := range before {
			d := float64(after[i]-h) / step
			sum += d * d
		}
		return sum / float64(x.Shape()[0])
	}
	with, without := norm("5.0"), norm("0.0")
	t.Logf("squared norm %.3f, %.3f without the penalty", with, without)
	if !(with < without/4) {
		t.Errorf("the squared norm of the Jacobian is %v, %v without the penalty", with, without)
	}
}

// A regularised autoencoder keeps its codes small (rae-l2), or what it draws from changing fast with them (rae-gp): E|g(z+δv) - g(z)|²/δ²
// with normal v is the squared norm of the decoder's Jacobian.
func TestRegularisedCodesAndDecoders(t *testing.T) {
	if testing.Short() {
		t.Skip("trains four models")
	}
	size := func(weight string) float64 {
		m, x := trainedOn(t, single, "model.preset=rae-l2", "model.latent_dim=8", "model.penalties.l2.weight="+weight)
		z, _ := codesOf(t, m, x)
		sum := 0.0
		for _, v := range z {
			sum += float64(v) * float64(v) / float64(x.Shape()[0])
		}
		return sum
	}
	slope := func(weight string) float64 {
		m, x := trainedOn(t, single, "model.preset=rae-gp", "model.latent_dim=8", "model.penalties.jacobian.weight="+weight)
		z, width := codesOf(t, m, x)
		const step = 1e-2
		rng := rand.New(rand.NewPCG(1, 2))
		moved := make([]float32, len(z))
		for i, v := range z {
			moved[i] = v + step*float32(rng.NormFloat64())
		}
		images := func(z []float32) []float32 {
			y, err := m.Decode(context.Background(), tensor.New(tensor.WithShape(len(z)/width, width), tensor.WithBacking(z)))
			if err != nil {
				t.Fatal(err)
			}
			return y.Float32s()
		}
		sum, before := 0.0, images(z)
		for i, v := range images(moved) {
			d := float64(v-before[i]) / step
			sum += d * d / float64(len(z)/width)
		}
		return sum
	}
	for name, c := range map[string]struct {
		measure func(string) float64
		weight  string
	}{"squared length of a code": {size, "10.0"}, "squared norm of the decoder's Jacobian": {slope, "1.0"}} {
		with, without := c.measure(c.weight), c.measure("0.0")
		t.Logf("%s: %.3f, %.3f without the penalty", name, with, without)
		if !(with < without/2) {
			t.Errorf("%s: %v, %v without the penalty", name, with, without)
		}
	}
}
