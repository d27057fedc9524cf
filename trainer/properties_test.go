package trainer_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"aetrain/infer"
	"aetrain/metrics"
	"aetrain/model"

	"gorgonia.org/tensor"
)

// squashed is a small autoencoder of the digits whose code is of sigmoid units.
const squashed = `
seed = 2
[data]
source = "digits"
limit = 1000
batch = 50
validation = 200
[model]
latent_dim = 30
encoder = []
[optimizer]
learning_rate = 5e-3
[train]
epochs = 8
validate_every = 0
sample_every = 0
checkpoint_every = 0
`

// trainedOn trains a text's model and returns it with the validation examples.
func trainedOn(t *testing.T, text string, sets ...string) (*infer.Model, *tensor.Dense) {
	t.Helper()
	s := prepareText(t, "", 2, text, sets...)
	r, err := s.train(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	x, err := infer.Read(context.Background(), s.Splits.Validation, model.FieldX, 0)
	if err != nil {
		t.Fatal(err)
	}
	return r.Model, x
}

// codesOf returns the codes of x, and how many numbers each has.
func codesOf(t *testing.T, m *infer.Model, x *tensor.Dense) (z []float32, width int) {
	t.Helper()
	d, err := m.Encode(context.Background(), x)
	if err != nil {
		t.Fatal(err)
	}
	return d.Float32s(), d.Shape()[1]
}

// A contractive code answers less to small changes of the input: E‖h(x+δv) - h(x)‖²/δ² with normal v is the squared norm of the
// Jacobian, measured on codes alone.
func TestContractionShrinksJacobian(t *testing.T) {
	norm := func(weight string) float64 {
		m, x := trainedOn(t, squashed, "model.preset=contractive", "model.latent_dim=10", "train.epochs=5", "model.penalties.jacobian.weight="+weight)
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
	const smooth = "model.bottleneck.activation=linear"
	size := func(weight string) float64 {
		m, x := trainedOn(t, squashed, smooth, "model.preset=rae-l2", "model.latent_dim=8", "model.penalties.l2.weight="+weight)
		z, _ := codesOf(t, m, x)
		sum := 0.0
		for _, v := range z {
			sum += float64(v) * float64(v) / float64(x.Shape()[0])
		}
		return sum
	}
	slope := func(weight string) float64 {
		m, x := trainedOn(t, squashed, smooth, "model.preset=rae-gp", "model.latent_dim=8", "model.penalties.jacobian.weight="+weight)
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

// An LSTM finds that waves are a few numbers, where the best linear code of as many leaves most of them.
func TestLSTMBeatsPCA(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for seconds")
	}
	const text = `
seed = 1
[data]
source = "waves"
length = 24
examples = 2400
noise = 0.0
batch = 32
validation = 200
[model]
preset = "lstm"
latent_dim = 3
encoder = [{ layer = "lstm", units = 24, return_sequences = false }]
[optimizer]
learning_rate = 1e-2
schedule = { kind = "cosine", warmup = 1 }
[train]
epochs = 24
clip_norm = 1.0
validate_every = 0
sample_every = 0
checkpoint_every = 0
`
	s := prepareText(t, "", 2, text)
	r, err := s.train(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Model.Evaluate(context.Background(), s.Splits.Validation, infer.EvaluateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	known, err := infer.Read(ctx, s.Splits.Train, model.FieldX, 0)
	if err != nil {
		t.Fatal(err)
	}
	held, err := infer.Read(ctx, s.Splits.Validation, model.FieldX, 0)
	if err != nil {
		t.Fatal(err)
	}
	pca, err := metrics.FitPCA(known, 3)
	if err != nil {
		t.Fatal(err)
	}
	linear, err := pca.Reconstruct(held)
	if err != nil {
		t.Fatal(err)
	}
	left := 0.0
	for i, v := range linear.Float64s() {
		d := v - float64(held.Float32s()[i])
		left += d * d / float64(len(held.Float32s()))
	}
	t.Logf("mse %.4f, PCA leaves %.4f", got["mse"], left)
	if !(got["mse"] < left/2) {
		t.Errorf("mse is %v from 3 numbers, PCA leaves %v", got["mse"], left)
	}
}

// The choice of a joint code finds the kinds of cells, which nobody told it: of the cells of a class most are of one kind. Where the
// choice has no capacity its likeliest class tells much less.
func TestJointCodeFindsClasses(t *testing.T) {
	const kinds, text = 5, `
seed = 1
[data]
source = "counts"
features = 40
kinds = 5
examples = 2000
batch = 50
validation = 400
[model]
preset = "joint-vae"
input = "log1p"
latent_dim = 2
encoder = [{ layer = "dense", units = 64, activation = "relu" }]
[model.bottleneck]
classes = 5
[model.reconstruction]
kind = "poisson"
[model.penalties.joint-capacity]
weight = 20.0
gaussian = 0.5
categorical = { from = 0.0, to = 1.6, epochs = 25 }
[optimizer]
learning_rate = 3e-3
[train]
epochs = 30
validate_every = 0
sample_every = 0
checkpoint_every = 0
`
	purity := func(sets ...string) float64 {
		s := prepareText(t, "", 2, text, sets...)
		r, err := s.train(t, nil)
		if err != nil {
			t.Fatal(err)
		}
		x, err := infer.Read(context.Background(), s.Splits.Validation, model.FieldX, 0)
		if err != nil {
			t.Fatal(err)
		}
		labels, err := infer.Read(context.Background(), s.Splits.Validation, "label", 0)
		if err != nil {
			t.Fatal(err)
		}
		z, width := codesOf(t, r.Model, x)
		var count [kinds][kinds]int // of a class, by kind
		for i, label := range labels.Int32s() {
			for class, chosen := range z[(i+1)*width-kinds : (i+1)*width] {
				if chosen == 1 {
					count[class][label]++
				}
			}
		}
		most := 0
		for _, of := range count {
			most += slices.Max(of[:])
		}
		return float64(most) / float64(len(labels.Int32s()))
	}
	with, without := purity(), purity("model.penalties.joint-capacity.categorical=0.0")
	t.Logf("%.3f of the cells are of their class's kind, %.3f without a capacity", with, without)
	if with < 0.75 || with < without+0.2 {
		t.Errorf("%.3f of the cells are of their class's kind, %.3f without a capacity", with, without)
	}
}
